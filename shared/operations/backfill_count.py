"""The files that a backfill would queue: counted and priced from lists. Nothing begins.

The uploads are listed twice, and in between the index entries of their time: a list call for a thousand. Only files without an
entry are looked at by themselves, where a route goes by their first bytes. Memory: 16 bytes for each entry.
"""

import time
from collections import Counter
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field

from shared import events, index, pipeline, uploaded
from shared.cloud.protocols import Cloud, Stored
from shared.index import VERDICTS
from shared.model import File, Json, Run, Verdict
from shared.operations import parallel, prices
from shared.operations.ended import Ended
from shared.operations.prices import Use
from shared.operations.sweep import GENERATIONS_PER_SECOND, PAGE_OBJECTS, walk
from shared.plan import Plan

#: The states of an object.
STATES = ("ended", "new", "ignored", "open")


@dataclass(frozen=True, slots=True)
class Looked:
    """An object: its job has `ended`, it is `new`, that is left to its notification, no file (`ignored`), or `open`.

    An open one has no entry: a backfill queues it under this plan, or ends it as `refused`.
    """

    name: str
    state: str
    file: File | None = None
    plan: Plan = field(default_factory=Plan)
    refused: tuple[Verdict, str, str] | None = None


@dataclass
class Group:
    """Open files with the same steps; or with none, for the same reason."""

    steps: tuple[str, ...]
    reason: str
    files: int = 0
    bytes: int = 0
    use: Use = field(default_factory=Use)

    def to_json(self) -> Json:
        sums = {"files": self.files, "bytes": self.bytes, "dollars": round(self.use.dollars, 9)}
        return {"steps": list(self.steps), "reason": self.reason, **sums}


@dataclass
class Count:
    """The objects of a prefix by their states, and the open ones in groups. `tasks` counts those of each queue."""

    states: Counter[str] = field(default_factory=Counter)
    groups: dict[tuple[tuple[str, ...], str], Group] = field(default_factory=dict)
    tasks: Counter[str] = field(default_factory=Counter)

    @property
    def use(self) -> Use:
        """The least use of the backfill and of the runs that it begins."""
        lookups = Use(reads=2 * (self.states["ended"] + self.states["open"]) + self.tasks.total(), tasks=2 * self.tasks.total())
        lists = Use(writes=1 + self.states.total() // PAGE_OBJECTS)
        return sum((group.use for group in self.groups.values()), lookups + lists)

    def seconds(self, cloud: Cloud) -> float:
        """The least time that the slowest queue takes at its rate."""
        rates = {name: queue.max_dispatches_per_second for name, queue in cloud.routes.queues.items()}
        return max((tasks / rates[queue] for queue, tasks in self.tasks.items()), default=0)

    def add(self, one: Looked) -> None:
        """Count one more."""
        self.states[one.state] += 1
        if one.file:
            plan, reason = (Plan(), one.refused[1]) if one.refused else (one.plan, "")
            steps = tuple(step.name for step in plan.steps)
            group = self.groups.setdefault((steps, reason), Group(steps, reason))
            group.files += 1
            group.bytes += one.file.size
            group.use += prices.of_plan(plan)
            self.tasks.update(place.queue for place in plan.places)


def look(prefix: str, cloud: Cloud) -> Generator[Looked, None, None]:
    """The live objects with this prefix, by name. Raises `Unavailable`."""
    newest = (int(time.time()) - cloud.settings.sweep_after_seconds) * GENERATIONS_PER_SECOND
    ended = _ended((stored.generation for stored in walk(cloud.uploads, prefix, prefix)), newest, cloud)

    def of(stored: Stored) -> Looked:
        file = uploaded.as_file(stored, cloud)
        if stored.generation > newest:
            return Looked(file.name, "new")
        if events.why_ignored(file):
            return Looked(file.name, "ignored")
        if Run(file).job_id in ended:
            return Looked(file.name, "ended")
        file = uploaded.live(stored, cloud)
        plan = cloud.routes.plan(file)
        return Looked(file.name, "open", file, plan, pipeline.refusal(Run(file), plan, cloud))

    return parallel.each(of, walk(cloud.uploads, prefix, prefix))


def _ended(generations: Iterable[int], newest: int, cloud: Cloud) -> Ended:
    """The jobs that have ended, of uploads of the time of these generations."""
    first, last = newest, 0
    for generation in generations:
        first, last = min(first, generation), max(last, min(generation, newest))
    ended = Ended()
    for verdict in VERDICTS if first <= last else ():
        for job_id in index.ended(cloud.results, verdict, first, last):
            ended.add(job_id)
    return ended
