"""Hypothesis against small reference models: generations and their conditions, and resumable uploads with all their accidents."""

import base64
import functools
import itertools
import json
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google_crc32c
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from local.accounts import Accounts
from local.clock import TurnedClock
from local.storage import Storage
from local.storage.web import Answer, Disconnected, Request, parse_query

_numbers = itertools.count(1)
NAMES = st.sampled_from(["a", "b"])


class Service:
    """The service without a network; `restart` is what a kill and a new start are to it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.clock = TurnedClock()
        self.accounts = Accounts(Path(self._folder.name) / "keys", "local-project", "http://127.0.0.1", self.clock)
        self.open()

    def open(self) -> None:
        self.storage = Storage(Path(self._folder.name) / "storage", self.clock, self.accounts, _publish)
        self.storage.sessions.expire()
        self.storage.store.sweep()

    def restart(self) -> None:
        self.storage.store.database.close()
        self.open()

    def close(self) -> None:
        self.storage.store.database.close()
        self._folder.cleanup()

    def call(self, method: str, url: str, body: bytes = b"", *, broken: bool = False, **headers: str) -> Answer:
        """One request, answered; `broken` ones lose their connection after the body."""
        path, _, query = url.partition("?")
        given = {"host": "localhost"} | {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(method, path, query, parse_query(query), given, "http", _chunks(body, broken))
        answer: Answer = run(self.storage.answer(request))
        return answer

    def read(self, bucket: str, name: str, query: str = "") -> bytes | None:
        """An object's bytes; None when there is none."""
        answer = self.call("GET", f"/storage/v1/b/{bucket}/o/{name}?alt=media{query}")
        assert isinstance(answer.body, bytes)
        return answer.body if answer.status == 200 else None


@functools.cache
def service() -> Service:
    """One for all examples: every one has a bucket of its own."""
    return Service()


@pytest.fixture(scope="module", autouse=True)
def _closed() -> Iterator[None]:
    yield
    service().close()
    service.cache_clear()


def run(work: Any) -> Any:
    """The result of a coroutine that waits for nothing but others' turns."""
    while True:
        try:
            work.send(None)
        except StopIteration as done:
            return done.value


def shown(answer: Answer) -> dict[str, Any]:
    """The resource in an answer."""
    assert isinstance(answer.body, bytes)
    found: dict[str, Any] = json.loads(answer.body)
    return found


async def _chunks(body: bytes, broken: bool) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 7):
        yield body[start : start + 7]
    if broken:
        raise Disconnected


async def _publish(_topic: str, _data: bytes, _attributes: dict[str, str]) -> str:
    return "1"


@dataclass(frozen=True)
class Version:
    """What the model knows of a generation."""

    generation: int
    metageneration: int
    data: bytes


NOTHING = Version(0, 0, b"")


@dataclass(frozen=True)
class Condition:
    """`ifGenerationMatch` and its sisters, towards a state that is only known when the condition is used."""

    field: str
    is_match: bool
    holds: bool

    def query(self, now: Version, prefix: str = "if") -> str:
        actual = now.generation if self.field == "Generation" else now.metageneration
        value = actual if self.is_match == self.holds else actual + 1
        return f"&{prefix}{self.field}{'' if self.is_match else 'Not'}Match={value}"


CONDITIONS = st.lists(
    st.builds(Condition, st.sampled_from(["Generation", "Metageneration"]), st.booleans(), st.booleans()), max_size=3
)
Conditions = list[Condition]


def hold(conditions: Conditions) -> bool:
    """Whether all hold; of one that is given twice, the first counts."""
    return all({(condition.field, condition.is_match): condition.holds for condition in reversed(conditions)}.values())


class Objects(RuleBasedStateMachine):
    """Objects of one bucket, whose versioning is switched on and off, under any mixture of conditions."""

    def __init__(self) -> None:
        super().__init__()
        self.service = service()
        self.bucket = f"bucket-{next(_numbers)}"
        self.service.call("POST", "/storage/v1/b", json.dumps({"name": self.bucket}).encode())
        self.live: dict[str, Version] = {}
        self.kept: dict[tuple[str, int], Version] = {}
        self.is_versioned = False

    @rule(name=NAMES, data=st.binary(max_size=3), conditions=CONDITIONS)
    def write(self, name: str, data: bytes, conditions: Conditions) -> None:
        url = f"/upload/storage/v1/b/{self.bucket}/o?uploadType=media&name={name}{self.query(name, conditions)}"
        self.expect_new(name, data, hold(conditions), self.service.call("POST", url, data))

    @rule(name=NAMES, data=st.binary(max_size=3), held=st.booleans())
    def write_xml(self, name: str, data: bytes, held: bool) -> None:
        conditions = [Condition("Generation", True, held)]
        wanted = self.query(name, conditions).partition("=")[2]
        answer = self.service.call("PUT", f"/{self.bucket}/{name}", data, x_goog_if_generation_match=wanted)
        self.expect_new(name, data, held, answer)

    @rule(source=NAMES, name=NAMES, conditions=CONDITIONS, of_source=CONDITIONS)
    def copy(self, source: str, name: str, conditions: Conditions, of_source: Conditions) -> None:
        query = self.query(name, conditions) + self.query(source, of_source, "ifSource")
        answer = self.service.call(
            "POST", f"/storage/v1/b/{self.bucket}/o/{source}/rewriteTo/b/{self.bucket}/o/{name}?x{query}"
        )
        if source not in self.live:
            assert answer.status == 404
        else:
            self.expect_new(name, self.live[source].data, hold(conditions) and hold(of_source), answer)

    @rule(name=NAMES, conditions=CONDITIONS)
    def compose(self, name: str, conditions: Conditions) -> None:
        body = json.dumps({"sourceObjects": [{"name": "a"}, {"name": "b"}]}).encode()
        answer = self.service.call(
            "POST", f"/storage/v1/b/{self.bucket}/o/{name}/compose?x{self.query(name, conditions)}", body
        )
        if len(self.live) < 2:
            assert answer.status == 404
        else:
            self.expect_new(name, self.live["a"].data + self.live["b"].data, hold(conditions), answer)

    @rule(name=NAMES, conditions=CONDITIONS, method=st.sampled_from(["PATCH", "PUT"]))
    def change(self, name: str, conditions: Conditions, method: str) -> None:
        url = f"/storage/v1/b/{self.bucket}/o/{name}?x{self.query(name, conditions)}"
        answer = self.service.call(method, url, b'{"metadata": {"a": "b"}}')
        if name not in self.live:
            assert answer.status == 404
        elif self.is_expected(hold(conditions), answer, 200):
            was = self.live[name]
            self.live[name] = Version(was.generation, was.metageneration + 1, was.data)

    @rule(name=NAMES, conditions=CONDITIONS, exactly=st.booleans())
    def delete(self, name: str, conditions: Conditions, exactly: bool) -> None:
        now = self.live.get(name, NOTHING)
        generation = f"&generation={now.generation}" if exactly else ""
        answer = self.service.call(
            "DELETE", f"/storage/v1/b/{self.bucket}/o/{name}?x{generation}{self.query(name, conditions)}"
        )
        if now is NOTHING:
            assert answer.status == 404
        elif self.is_expected(hold(conditions), answer, 204):
            self.retire(name, for_good=exactly)

    @rule(data=st.data())
    def delete_a_noncurrent_one(self, data: st.DataObject) -> None:
        if not self.kept:
            return
        name, generation = data.draw(st.sampled_from(sorted(self.kept)))
        assert self.service.call("DELETE", f"/storage/v1/b/{self.bucket}/o/{name}?generation={generation}").status == 204
        del self.kept[name, generation]

    @rule(enabled=st.booleans())
    def switch_versioning(self, enabled: bool) -> None:
        self.service.call("PATCH", f"/storage/v1/b/{self.bucket}", json.dumps({"versioning": {"enabled": enabled}}).encode())
        self.is_versioned = enabled

    @rule()
    def restart(self) -> None:
        self.service.restart()

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        items = shown(self.service.call("GET", f"/storage/v1/b/{self.bucket}/o?versions=true")).get("items", [])
        found = {(item["name"], int(item["generation"])): int(item["metageneration"]) for item in items}
        everything = {(name, version.generation): version for name, version in self.live.items()} | self.kept
        assert found == {key: version.metageneration for key, version in everything.items()}
        for (name, generation), version in everything.items():
            assert self.service.read(self.bucket, name, f"&generation={generation}") == version.data
        for name in ("a", "b"):
            live = self.live.get(name)
            assert self.service.read(self.bucket, name) == (live.data if live else None)

    def query(self, name: str, conditions: Conditions, prefix: str = "if") -> str:
        return "".join(condition.query(self.live.get(name, NOTHING), prefix) for condition in conditions)

    def expect_new(self, name: str, data: bytes, holds: bool, answer: Answer) -> None:
        if self.is_expected(holds, answer, 200):
            newest = max([0, *(v.generation for v in self.live.values()), *(generation for _, generation in self.kept)])
            self.retire(name)
            generation = self.generation(name)
            assert generation > newest
            self.live[name] = Version(generation, 1, data)

    def is_expected(self, holds: bool, answer: Answer, success: int) -> bool:
        assert answer.status == (success if holds else 412)
        return holds

    def generation(self, name: str) -> int:
        return int(shown(self.service.call("GET", f"/storage/v1/b/{self.bucket}/o/{name}"))["generation"])

    def retire(self, name: str, for_good: bool = False) -> None:
        old = self.live.pop(name, None)
        if old and self.is_versioned and not for_good:
            self.kept[name, old.generation] = old


@dataclass
class Session:
    """What the model knows of a resumable upload."""

    location: str
    data: bytes
    is_declared: bool
    is_create_only: bool
    received: int = 0
    state: str = "open"


class Uploads(RuleBasedStateMachine):
    """Resumable uploads to one name: any pieces, repeated, overlapping, cut off, asked about, across restarts."""

    def __init__(self) -> None:
        super().__init__()
        self.service = service()
        self.bucket = f"bucket-{next(_numbers)}"
        self.service.call("POST", "/storage/v1/b", json.dumps({"name": self.bucket}).encode())
        self.live: bytes | None = None

    sessions: Bundle[Session] = Bundle("sessions")

    @rule(
        target=sessions,
        data=st.integers(0, 60).map(lambda size: bytes(range(size))),
        is_declared=st.booleans(),
        is_create_only=st.booleans(),
    )
    def start(self, data: bytes, is_declared: bool, is_create_only: bool) -> Session:
        url = f"/upload/storage/v1/b/{self.bucket}/o?uploadType=resumable&name=x" + (
            "&ifGenerationMatch=0" if is_create_only else ""
        )
        length = {"x_upload_content_length": str(len(data))} if is_declared else {"x_other": ""}
        answer = self.service.call("POST", url, b"", broken=False, **length)
        location = dict(answer.headers)[b"location"].decode().removeprefix("http://localhost")
        return Session(location, data, is_declared, is_create_only)

    @rule(session=sessions, back=st.integers(0, 20), length=st.integers(1, 40), says_total=st.booleans(), breaks=st.booleans())
    def send(self, session: Session, back: int, length: int, says_total: bool, breaks: bool) -> None:
        first = max(0, session.received - back)
        piece = session.data[first : first + length]
        if not piece:
            return
        total = str(len(session.data)) if says_total else "*"
        span = f"bytes {first}-{first + len(piece) - 1}/{total}"
        try:
            answer = self.service.call("PUT", session.location, piece, broken=breaks, content_range=span)
        except Disconnected:
            session.received = max(session.received, first + len(piece))
            return
        if session.state == "open":
            session.received = max(session.received, first + len(piece))
        self.expect(session, answer, says_total)

    @rule(session=sessions, beyond=st.integers(1, 9))
    def leave_a_gap(self, session: Session, beyond: int) -> None:
        first = session.received + beyond
        if session.state == "open" and first < len(session.data):
            answer = self.service.call("PUT", session.location, b"x", content_range=f"bytes {first}-{first}/*")
            assert answer.status == 400

    @rule(session=sessions, says_total=st.booleans())
    def ask(self, session: Session, says_total: bool) -> None:
        total = str(len(session.data)) if says_total else "*"
        self.expect(session, self.service.call("PUT", session.location, content_range=f"bytes */{total}"), says_total)

    @rule(session=sessions)
    def finish_with_the_checksum(self, session: Session) -> None:
        rest, total = session.data[session.received :], len(session.data)
        span = f"bytes {session.received}-{total - 1}/{total}" if rest else f"bytes */{total}"
        claim = "crc32c=" + base64.b64encode(google_crc32c.Checksum(session.data).digest()).decode()
        if session.state == "open":
            session.received = total
        self.expect(session, self.service.call("PUT", session.location, rest, content_range=span, x_goog_hash=claim), True)

    @rule(session=sessions)
    def cancel(self, session: Session) -> None:
        answer = self.service.call("DELETE", session.location)
        assert answer.status == (410 if session.state == "gone" else 499)
        session.state = "gone"

    @rule()
    def restart(self) -> None:
        self.service.restart()

    @invariant()
    def the_object_is_whole_or_missing(self) -> None:
        assert self.service.read(self.bucket, "x") == self.live

    def expect(self, session: Session, answer: Answer, says_total: bool) -> None:
        """What the answer must be, and what becomes of the upload."""
        if session.state != "open":
            assert answer.status == (200 if session.state == "done" else 410)
            return
        if session.received < len(session.data) or not (says_total or session.is_declared):
            wanted = [(b"range", f"bytes=0-{session.received - 1}".encode())] if session.received else []
            assert (answer.status, [header for header in answer.headers if header[0] == b"range"]) == (308, wanted)
        elif session.is_create_only and self.live is not None:
            assert answer.status == 412
            session.state = "gone"
        else:
            assert answer.status == 200
            session.state, self.live = "done", session.data


#: No shrinking, which can take minutes: a failure is printed as the steps that led to it.
LIMITS = settings(max_examples=60, stateful_step_count=30, deadline=None, phases=[Phase.generate])
TestObjects = Objects.TestCase
TestObjects.settings = LIMITS
TestUploads = Uploads.TestCase
TestUploads.settings = LIMITS
