"""For tests: Cloud Tasks and Pub/Sub in memory, as `shared.testing` uses them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shared.backfill_page import Page
from shared.cloud.protocols import Queued, QueueState, Received
from shared.errors import Unavailable
from shared.events import Notice
from shared.plan import Task
from shared.sweep_part import Part
from shared.webhooks.deliveries import Delivery


@dataclass
class FakeQueue:
    """The queues in memory. They refuse a name that they had before, as Cloud Tasks does for an hour.

    Nothing is delivered: a task stays until it is deleted. The tasks in `running` are under delivery.
    """

    #: every task that was ever added, by `<queue>/<name>`
    added: dict[str, Task] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    running: set[str] = field(default_factory=set)
    paused: set[str] = field(default_factory=set)
    broken: bool = False
    #: the queues that `names` lists
    existing: set[str] = field(default_factory=set)
    #: every delivery of a webhook that was ever added, by `<queue>/<name>`
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    #: every part of a sweep that was ever added, by `<queue>/<name>`
    parts: dict[str, Part] = field(default_factory=dict)
    #: every page of a backfill that was ever added, by `<queue>/<name>`
    pages: dict[str, Page] = field(default_factory=dict)
    #: the deliveries answered in the last minute, by queue
    last_minute: dict[str, int] = field(default_factory=dict)
    #: the queues that do not answer
    down: set[str] = field(default_factory=set)

    def add(self, task: Task | Delivery | Part | Page) -> bool:
        self._fail(task.queue)
        name = _task_name(task)
        if any(name in found for found in (self.added, self.deliveries, self.parts, self.pages)):
            return False
        if isinstance(task, Part):
            self.parts[name] = task
        elif isinstance(task, Page):
            self.pages[name] = task
        elif isinstance(task, Delivery):
            self.deliveries[name] = task
        else:
            self.added[name] = task
        return True

    def find(self, task: Task | Delivery | Page) -> Queued | None:
        self._fail(task.queue)
        name = _task_name(task)
        is_there = any(name in found for found in (self.added, self.deliveries, self.pages)) and name not in self.deleted
        return Queued(int(name in self.running), name in self.running, "2026-01-01T00:00:00Z") if is_there else None

    def tasks(self, queue: str) -> Iterator[tuple[Task, Queued]]:
        self._fail(queue)
        for task in list(self.added.values()):
            if task.place.queue == queue and (queued := self.find(task)):
                yield task, queued

    def delete(self, task: Task | Delivery) -> bool:
        if self.find(task) is None:
            return False
        self.deleted.add(_task_name(task))
        return True

    def state(self, queue: str) -> QueueState:
        waiting = (self.find(one) for one in self.deliveries.values() if one.queue == queue)
        found = [queued for _, queued in self.tasks(queue)] + [queued for queued in waiting if queued]
        oldest = min((queued.next for queued in found), default="")
        running = sum(queued.is_running for queued in found)
        return QueueState(queue, queue in self.paused, len(found), running, oldest, 1.0, self.last_minute.get(queue, 0))

    def names(self) -> Iterator[str]:
        self._fail("*")
        yield from sorted(self.existing)

    def pause(self, queue: str) -> None:
        self._fail(queue)
        self.paused.add(queue)

    def resume(self, queue: str) -> None:
        self._fail(queue)
        self.paused.discard(queue)

    def _fail(self, queue: str) -> None:
        if self.broken or queue in self.down:
            raise Unavailable(f"queue {queue} is unavailable (planted); retry")


def _task_name(task: Task | Delivery | Part | Page) -> str:
    return f"{task.queue}/{task.name}"


@dataclass
class FakeTopic:
    """A topic that keeps every message. Its subscriptions stand in `subscriptions` until they are deleted."""

    notices: list[Notice] = field(default_factory=list)
    broken: bool = False
    subscriptions: list["FakeSubscription"] = field(default_factory=list)

    def publish(self, *notices: Notice) -> None:
        self.fail()
        self.notices += notices

    def subscribe(self) -> "FakeSubscription":
        self.fail()
        made = FakeSubscription(self, len(self.notices))
        self.subscriptions.append(made)
        return made

    def ids(self) -> list[str]:
        """The `ce-id` of every message, in order of publication."""
        return [notice.attributes["ce-id"] for notice in self.notices]

    def fail(self) -> None:
        """Raise `Unavailable` while the topic is broken."""
        if self.broken:
            raise Unavailable("the topic is unavailable (planted); retry")


@dataclass(eq=False)
class FakeSubscription:
    """A subscription to a topic's messages from `first` on. It never waits, and no lease ends by itself."""

    topic: FakeTopic
    first: int = 0
    #: by the index of their messages in the topic
    leased: set[int] = field(default_factory=set)
    acknowledged: set[int] = field(default_factory=set)
    #: most messages in one answer
    page: int = 1000

    def pull(self, seconds: float) -> list[Received]:  # noqa: ARG002
        self.topic.fail()
        free = [index for index in range(self.first, len(self.topic.notices)) if index not in self.leased | self.acknowledged]
        self.leased |= set(free[: self.page])
        return [self._received(index) for index in free[: self.page]]

    def acknowledge(self, messages: Iterable[Received]) -> None:
        self.topic.fail()
        self.acknowledged |= {int(message.lease) for message in messages}

    def release(self, messages: Iterable[Received]) -> None:
        self.topic.fail()
        self.leased -= {int(message.lease) for message in messages}

    def delete(self) -> None:
        if self in self.topic.subscriptions:
            self.topic.subscriptions.remove(self)

    def _received(self, index: int) -> Received:
        notice = self.topic.notices[index]
        return Received(str(index + 1), "2026-01-01T00:00:00Z", notice.data, notice.attributes, str(index))
