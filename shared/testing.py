"""For tests: a cloud in memory, and `run_processor`, which runs one processor on bytes.

The fakes pass the same contract tests as the real adapters (tests/contract).
"""

import base64
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import google_crc32c

from shared import processors
from shared.cloud.protocols import NO_METADATA, AlreadyExists, Body, NoSuchObject, Permission, Stored
from shared.errors import BadFile, PipelineError, Unavailable
from shared.guard import Guard
from shared.identity import Certificates
from shared.model import Limits, Recipe
from shared.processors import Made
from shared.processors.registry import NO_ASSETS
from shared.routes import Routes
from shared.sandbox.outcome import Ran
from shared.sandbox.room import Room, Share
from shared.sandbox.service import checked
from shared.settings import Settings
from shared.testing_queues import FakeQueue, FakeSubscription, FakeTopic

#: Objects in one answer of a list: the most that Cloud Storage gives.
PAGE_OBJECTS = 1000
NO_BYTES: Mapping[str, bytes] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Produced:
    """An output of `run_processor`: a draft, with its bytes in place of its path."""

    name: str
    content_type: str
    data: bytes
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that a processor made from a file."""

    outputs: list[Produced]
    facts: Mapping[str, Any]


def run_processor(name: str, data: bytes, assets: Mapping[str, bytes] = NO_BYTES, /, **options: Any) -> Outcome:
    """Run a processor on a file of these bytes, and these assets by name, as a task does.

    Raises `BadFile` for a file at fault, `BadConfiguration` for wrong options, `ValueError` for wrong outputs or facts.
    """
    processor = processors.find(name)
    checked = processor.check(options)
    with tempfile.TemporaryDirectory(prefix="sluice-") as folder:
        source, workdir = Path(folder) / "source", Path(folder) / "work"
        source.write_bytes(data)
        workdir.mkdir()
        made = processor.run(source, workdir, checked, _on_disk(assets, Path(folder)))
        outputs = [Produced(draft.name, draft.content_type, draft.path.read_bytes(), draft.facts) for draft in made.drafts]
        return Outcome(outputs, made.facts)


def _on_disk(assets: Mapping[str, bytes], folder: Path) -> Mapping[str, Path]:
    paths = {name: folder / f"asset-{number}" for number, name in enumerate(assets)}
    for name, path in paths.items():
        path.write_bytes(assets[name])
    return paths


@dataclass
class FakeBucket:
    """A bucket in memory, which keeps the live generation of each object.

    A call named in `broken`, such as `find` or `create jobs`, raises `Unavailable`. The first read of a name in `hidden_once`
    finds nothing, as if another delivery created the object a moment later.
    """

    name: str
    versions: dict[str, dict[int, tuple[Stored, bytes]]] = field(default_factory=dict)
    encodings: dict[str, str] = field(default_factory=dict)
    cache_controls: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    hidden_once: set[str] = field(default_factory=set)
    #: list calls so far, as Cloud Storage counts them
    lists: int = 0
    _generations: Iterator[int] = field(default_factory=lambda: count(1_700_000_000_000_001))

    def create(
        self, name: str, content_type: str, body: Body, metadata: Mapping[str, str] = NO_METADATA, cache_control: str = ""
    ) -> Stored:
        self._fail("create", name)
        if self.find(name):
            raise AlreadyExists(f"object {name} already exists in {self.name}")
        self.cache_controls[name] = cache_control
        return self.put(name, _bytes(body), content_type, metadata)

    def put(
        self,
        name: str,
        data: bytes,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] = NO_METADATA,
    ) -> Stored:
        """Create or overwrite an object, as a client with rights on the bucket can."""
        generation = next(self._generations)
        stored = Stored(name, generation, len(data), content_type, crc32c(data), "2026-01-01T00:00:00Z", dict(metadata))
        self.versions[name] = {generation: (stored, data)}
        return stored

    def read(self, name: str, most: int = 0) -> bytes | None:
        self._fail("read", name)
        if name in self.hidden_once:
            self.hidden_once.remove(name)
            return None
        live = self.versions.get(name)
        return max(live.items())[1][1][: most or None] if live else None

    def head(self, name: str, generation: int, most: int) -> tuple[bytes, str]:
        self._fail("head", name)
        found = self.versions.get(name, {}).get(generation)
        if not found:
            raise NoSuchObject(f"generation {generation} of {name} not found in {self.name}")
        return found[1][:most], self.encodings.get(name, "")

    def download(self, name: str, generation: int, size: int, path: Path) -> str:  # noqa: ARG002
        self._fail("download", name)
        found = self.versions.get(name, {}).get(generation)
        if not found:
            raise NoSuchObject(f"generation {generation} of {name} not found in {self.name}")
        path.write_bytes(found[1])
        return self.encodings.get(name, "")

    def find(self, name: str) -> Stored | None:
        self._fail("find", name)
        return self._live(name) if self.versions.get(name) else None

    def names(self, prefix: str, start: str = "", end: str = "") -> Iterator[str]:
        self._fail("names", prefix)
        listed = sorted(name for name in self.versions if name.startswith(prefix) and start <= name and (not end or name < end))
        self.lists += max(1, -(-len(listed) // PAGE_OBJECTS))
        yield from listed

    def page(self, prefix: str, start: str, limit: int) -> Mapping[str, Mapping[str, str]]:
        return {name: self._live(name).metadata for name in self._page("page", prefix, start, limit)}

    def objects(self, prefix: str, start: str, limit: int) -> list[Stored]:
        return [self._live(name) for name in self._page("objects", prefix, start, limit)]

    def permit_upload(self, name: str, headers: Mapping[str, str], seconds: int, *, resumable: bool) -> Permission:
        sent = {**headers, **({"x-goog-resumable": "start"} if resumable else {})}
        return Permission("POST" if resumable else "PUT", f"https://signed.test/{self.name}/{quote(name)}?for={seconds}", sent)

    def permit_download(self, name: str, seconds: int) -> str:
        return f"https://signed.test/{self.name}/{quote(name)}?for={seconds}"

    def _page(self, call: str, prefix: str, start: str, limit: int) -> list[str]:
        self._fail(call, prefix)
        found = sorted(name for name in self.versions if name.startswith(prefix) and name >= start)[:limit]
        self.lists += max(1, -(-len(found) // PAGE_OBJECTS))
        return found

    def _live(self, name: str) -> Stored:
        return max(self.versions[name].items())[1][0]

    def _fail(self, call: str, name: str) -> None:
        if call in self.broken or f"{call} {name.split('/')[0]}" in self.broken:
            raise Unavailable(f"bucket {self.name} is unavailable (planted); retry")


class FakeSandbox:
    """Runs steps in this process, without limits. Deliveries without memory are refused at once."""

    def __init__(self, room_bytes: int = 1 << 62) -> None:
        self._room = Room(room_bytes, wait_seconds=0)

    def announce(self) -> None:
        """Nothing is enforced, and nothing to log."""

    def prepare(self) -> None:
        """Nothing to begin."""

    def reserved(self, wanted_bytes: int) -> AbstractContextManager[Share]:
        return self._room.reserved(wanted_bytes)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="sluice-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)

    def run(
        self,
        recipe: Recipe,
        source: Path,
        folder: Path,
        limits: Limits,  # noqa: ARG002
        assets: Mapping[str, Path] = NO_ASSETS,
    ) -> Ran:
        exact, started = checked(recipe), time.thread_time()
        outcome: Made | PipelineError
        try:
            outcome = processors.find(exact.processor).run(source, folder, exact.options, assets)
        except BadFile as error:
            outcome = error
        return Ran(time.thread_time() - started, 0, outcome)


class FakeCloud:
    """The cloud of `shared.cloud.connect()`, in memory."""

    def __init__(self, settings: Settings, routes: Routes, certificates: Certificates | None = None) -> None:
        self.settings = settings
        self.routes = routes
        self.certificates = certificates or Certificates(dict)
        self.sandbox = FakeSandbox()
        self.uploads = FakeBucket(settings.uploads_bucket)
        self.results = FakeBucket(settings.results_bucket)
        self.guard = Guard(self.results)
        self.queue = FakeQueue()
        self.completions = FakeTopic()
        self.dead_letters = FakeTopic()
        self.put_aside = FakeSubscription(self.dead_letters)
        self.notifications = FakeTopic()

    def identity_token(self, audience: str) -> str:
        return f"token for {audience}"


def crc32c(data: bytes) -> str:
    """The checksum as Cloud Storage writes it: base64 of four big-endian bytes."""
    return base64.b64encode(google_crc32c.Checksum(data).digest()).decode()


def _bytes(body: Body) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.read_bytes() if isinstance(body, Path) else b"".join(body)
