"""The parts of a schedule: faults, deliveries that wait, and deliveries under way."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.plan import Task

#: The client's request: a client that got no answer repeats it.
UPLOAD = "upload service"
#: Begins the label of a request of an operator.
OPERATOR = "operator"


@dataclass(frozen=True)
class Fault:
    """A fault before an effect of a run; effects count from 0. `pick` chooses among the possibilities."""

    at: int
    kind: str
    pick: int = 0

    def __str__(self) -> str:
        return f"{self.kind}@{self.at}" + (f"/{self.pick}" if self.pick else "")

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """The fault of `<kind>@<at>[/<pick>]`."""
        kind, _, where = text.partition("@")
        at, _, pick = where.partition("/")
        return cls(int(at), kind, int(pick or 0))


@dataclass(eq=False)
class Delivery:
    """A message, task, upload or sweep that waits to be handled, or is being handled."""

    label: str
    act: Callable[[int], object]
    task: Task | None = None
    number: int = 1

    def is_of(self, task: Task) -> bool:
        """Whether it delivers the task of this name in its queue."""
        return self.task is not None and (self.task.name, self.task.place) == (task.name, task.place)


@dataclass(eq=False)
class Actor:
    """A delivery under way."""

    delivery: Delivery
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    is_done: bool = False
    #: before its first effect
    is_new: bool = True
    is_lost: bool = False
    #: the last one that it began to work on
    step: str = ""
    fault: BaseException | None = None
