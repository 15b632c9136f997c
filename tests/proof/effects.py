"""The cloud in memory, where each call is an effect, before which the simulation may end the caller."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from shared.backfill_page import Page
from shared.cloud.protocols import NO_METADATA, Permission, Queued, QueueState, Stored
from shared.events import Notice
from shared.guard import Guard
from shared.identity import Certificates
from shared.model import File
from shared.plan import Plan, Task
from shared.routes import Routes
from shared.settings import Settings
from shared.sweep_part import Part
from shared.testing import FakeBucket, FakeSandbox
from shared.testing_queues import FakeQueue, FakeSubscription, FakeTopic
from shared.webhooks.deliveries import Delivery

T = TypeVar("T")


class Stage(Protocol):
    """Where effects take place: it performs each of them, and sees the result."""

    def effect(self, label: str, act: Callable[[], T]) -> T:
        """Perform an effect, or raise in its place."""

    def plan(self, file: File) -> Plan:
        """The plan of a file under the current configuration."""

    def acknowledge(self) -> None:
        """Take the current delivery as answered, whatever happens to it later."""

    def created(self, bucket: str, stored: Stored, data: bytes) -> None:
        """See a new object."""

    def is_waiting(self, task: Task) -> bool:
        """Whether this task is in its queue: the queue in memory keeps all that it ever had."""

    def queued(self, task: Task) -> None:
        """See a new task."""

    def deleted(self, task: Task) -> None:
        """See that a task leaves its queue."""

    def published(self, notices: Iterable[Notice]) -> None:
        """See notices."""


class Bucket:
    """A bucket whose calls are effects."""

    def __init__(self, inner: FakeBucket, stage: Stage) -> None:
        self.name = inner.name
        self.inner = inner
        self._stage = stage

    def create(
        self,
        name: str,
        content_type: str,
        body: bytes | Path | Iterable[bytes],
        metadata: Mapping[str, str] = NO_METADATA,
        cache_control: str = "",
    ) -> Stored:
        def act() -> Stored:
            data = body if isinstance(body, bytes) else body.read_bytes() if isinstance(body, Path) else b"".join(body)
            stored = self.inner.create(name, content_type, data, metadata, cache_control)
            self._stage.created(self.name, stored, data)
            return stored

        return self._stage.effect(f"create {name}", act)

    def overwrite(self, name: str, content_type: str, data: bytes, metadata: Mapping[str, str] = NO_METADATA) -> None:
        """Write without a precondition, as no handler may: for mutants."""

        def act() -> None:
            self._stage.created(self.name, self.inner.put(name, data, content_type, metadata), data)

        self._stage.effect(f"overwrite {name}", act)

    def read(self, name: str, most: int = 0) -> bytes | None:
        return self._stage.effect(f"read {name}", lambda: self.inner.read(name, most))

    def head(self, name: str, generation: int, most: int) -> tuple[bytes, str]:
        return self._stage.effect(f"head {name}", lambda: self.inner.head(name, generation, most))

    def download(self, name: str, generation: int, size: int, path: Path) -> str:
        return self._stage.effect(f"download {name}", lambda: self.inner.download(name, generation, size, path))

    def find(self, name: str) -> Stored | None:
        return self._stage.effect(f"find {name}", lambda: self.inner.find(name))

    def names(self, prefix: str, start: str = "", end: str = "") -> Iterator[str]:
        return iter(self._stage.effect(f"list {prefix}", lambda: list(self.inner.names(prefix, start, end))))

    def page(self, prefix: str, start: str, limit: int) -> Mapping[str, Mapping[str, str]]:
        return self._stage.effect(f"list {prefix}", lambda: self.inner.page(prefix, start, limit))

    def objects(self, prefix: str, start: str, limit: int) -> list[Stored]:
        return self._stage.effect(f"list {prefix}", lambda: self.inner.objects(prefix, start, limit))

    def permit_upload(self, name: str, headers: Mapping[str, str], seconds: int, *, resumable: bool) -> Permission:
        return self.inner.permit_upload(name, headers, seconds, resumable=resumable)

    def permit_download(self, name: str, seconds: int) -> str:
        return self.inner.permit_download(name, seconds)


class Queue:
    """A queue whose calls are effects."""

    def __init__(self, stage: Stage) -> None:
        self.inner = FakeQueue()
        self._stage = stage

    def add(self, task: Task | Delivery | Part | Page) -> bool:
        assert isinstance(task, Task), "only the notifier and the sweeper queue others"

        def act() -> bool:
            carried = Task.from_json(json.loads(json.dumps(task.to_json())))
            is_new = self.inner.add(carried)
            if is_new:
                self._stage.queued(carried)
            return is_new

        return self._stage.effect(f"queue {task.place.queue}/{task.name}", act)

    def find(self, task: Task | Delivery | Page) -> Queued | None:
        assert isinstance(task, Task), "only an operator's test looks for a delivery"

        def act() -> Queued | None:
            return self.inner.find(task) if self._stage.is_waiting(task) else None

        return self._stage.effect(f"look for {task.queue}/{task.name}", act)

    def tasks(self, queue: str) -> Iterator[tuple[Task, Queued]]:
        return self.inner.tasks(queue)

    def delete(self, task: Task | Delivery) -> bool:
        assert isinstance(task, Task), "the pipeline deletes no delivery"

        def act() -> bool:
            is_there = self.inner.delete(task)
            self._stage.deleted(task)
            return is_there

        return self._stage.effect(f"delete {task.place.queue}/{task.name}", act)

    def state(self, queue: str) -> QueueState:
        return self.inner.state(queue)

    def names(self) -> Iterator[str]:
        return self.inner.names()

    def pause(self, queue: str) -> None:
        self.inner.pause(queue)

    def resume(self, queue: str) -> None:
        self.inner.resume(queue)


class Topic:
    """A topic whose calls are effects."""

    def __init__(self, stage: Stage) -> None:
        self.inner = FakeTopic()
        self._stage = stage

    def publish(self, *notices: Notice) -> None:
        def act() -> None:
            self.inner.publish(*notices)
            self._stage.published(notices)

        self._stage.effect(f"publish {', '.join(one.attributes.get('ce-id', '?') for one in notices)}", act)

    def subscribe(self) -> FakeSubscription:
        return self.inner.subscribe()


class EffectCloud:
    """The cloud of `shared.cloud.connect()`, with a plan from the simulation in place of pipeline.toml."""

    def __init__(self, settings: Settings, stage: Stage) -> None:
        self.settings = settings
        self.certificates = Certificates(dict)
        self.sandbox = FakeSandbox()
        self.uploads = Bucket(FakeBucket(settings.uploads_bucket), stage)
        self.results = Bucket(FakeBucket(settings.results_bucket), stage)
        self.guard = Guard(self.results)
        self.queue = Queue(stage)
        self.completions = Topic(stage)
        self.dead_letters = Topic(stage)
        self.put_aside = self.dead_letters.subscribe()
        self.notifications = Topic(stage)
        self._stage = stage

    def identity_token(self, _audience: str) -> str:
        return ""

    @property
    def routes(self) -> Routes:
        routes: Any = self  # it has the three methods that the handlers call
        return routes  # type: ignore[no-any-return]

    def plan(self, file: File) -> Plan:
        return self._stage.plan(file)

    def acknowledge(self) -> None:
        """Answer before the work is done, as no handler may: for mutants."""
        self._stage.acknowledge()

    def go_by_bytes(self, _name: str, _metadata: Mapping[str, str], size: int | None = None) -> bool:
        """Of half the files: each delivery of their message reads them first, and may find them lost."""
        return bool(size and size % 2)

    def why_not(self, *_file: object) -> str:
        """No refusal at a door: whether a file has steps is decided at the dispatcher."""
        return ""
