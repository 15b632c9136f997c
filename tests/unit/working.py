"""Files that are worked on step by step, with queues and routes made by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field

from shared import index, pipeline
from shared.cloud.protocols import Queued, QueueState
from shared.model import File, Run
from shared.operations.rerun import rerun
from shared.plan import Plan, Task
from shared.testing import FakeCloud

Uploaded = Callable[..., File]


@dataclass
class Waiting:
    """Queues with one task each, by the name of the queue; some are paused."""

    queued: dict[str, Queued] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)

    def add(self, _task: Task) -> bool:
        return True

    def find(self, task: Task) -> Queued | None:
        return self.queued.get(task.place.queue)

    def state(self, queue: str) -> QueueState:
        return QueueState(queue, queue in self.paused, 1, 0, "", rate=1.0, last_minute=0)


@dataclass
class Fixed:
    """Routes that give every file this plan."""

    steps: Plan

    def plan(self, _file: File) -> Plan:
        return self.steps

    def go_by_bytes(self, *_: object) -> bool:
        return False

    def why_not(self, *_: object) -> str:
        return "no route takes this file"


def work(steps: Plan, cloud: FakeCloud, file: File, *places: str) -> None:
    """Enlist the file under this plan, and bring these tasks to their manifests; all of them without a name."""
    pipeline.enlist(Run(file), steps, cloud)
    for place in steps.places:
        if not places or str(place) in places:
            pipeline.process(Task(Run(file), steps, place), 1, cloud)


def again(cat: File, steps: Plan, cloud: FakeCloud, *, deliver: bool = True) -> Run:
    """Begin the next run of a file, and deliver its tasks."""
    run = rerun(Run(cat), steps, f"request-{len(list(cloud.results.names('index/rerun/')))}", cloud).run
    for place in steps.places if deliver else ():
        pipeline.process(Task(run, steps, place, adopted=index.claims(cloud.results, run)[-1].adopted), 1, cloud)
    return run
