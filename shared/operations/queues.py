"""The queues of pipeline.toml: how much waits in each, and stopping and starting their deliveries."""

from dataclasses import asdict, dataclass
from itertools import islice

from shared.cloud.protocols import Cloud, Queued, QueueState
from shared.errors import NotFound
from shared.model import Json
from shared.operations import parallel
from shared.plan import Task
from shared.sweep_part import QUEUE

#: Tasks that `first` reads, which is one call, and those that it returns.
MAX_READ, MAX_FIRST = 1000, 20


@dataclass(frozen=True, slots=True)
class Answer:
    """The state of the queues, in the order of pipeline.toml."""

    queues: tuple[QueueState, ...]

    def to_json(self) -> Json:
        return {"queues": [asdict(state) for state in self.queues]}


def states(cloud: Cloud) -> Answer:
    """The state of every queue. Raises `Unavailable`."""
    return Answer(tuple(parallel.each(cloud.queue.state, cloud.routes.queues)))


def first(name: str, cloud: Cloud) -> tuple[tuple[Task, Queued], ...]:
    """Up to `MAX_FIRST` tasks of a queue: those under delivery, then those that are due next.

    Of a queue with more than `MAX_READ` tasks, only so many are compared. Raises `NotFound` and `Unavailable`.
    """
    _known((name,), cloud)
    read = islice(cloud.queue.tasks(name), MAX_READ)
    return tuple(sorted(read, key=lambda found: (not found[1].is_running, found[1].next, found[0].name))[:MAX_FIRST])


def pause(names: tuple[str, ...], cloud: Cloud) -> Answer:
    """Stop the deliveries of these queues, those of pipeline.toml without a name; what is under delivery goes on.

    The sweeper's queue has to be named. Raises `NotFound` for another that pipeline.toml lacks, before anything is changed.
    """
    chosen = _changed(names, cloud)
    for name in chosen:
        cloud.queue.pause(name)
    return Answer(tuple(cloud.queue.state(name) for name in chosen))


def resume(names: tuple[str, ...], cloud: Cloud) -> Answer:
    """Deliver again from these queues, or those of pipeline.toml. Raises `NotFound` as `pause` does."""
    chosen = _changed(names, cloud)
    for name in chosen:
        cloud.queue.resume(name)
    return Answer(tuple(cloud.queue.state(name) for name in chosen))


def _changed(names: tuple[str, ...], cloud: Cloud) -> tuple[str, ...]:
    if named := tuple(name for name in names if name != QUEUE):
        _known(named, cloud)
    return names or tuple(cloud.routes.queues)


def _known(names: tuple[str, ...], cloud: Cloud) -> tuple[str, ...]:
    every = tuple(cloud.routes.queues)
    for name in names:
        if name not in every:
            raise NotFound(f"pipeline.toml has no queue {name!r}; it has {', '.join(every)}")
    return names or every
