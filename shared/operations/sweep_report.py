"""The result of a part of a sweep."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from shared.model import Json
from shared.operations import healing
from shared.sweep_part import Part

#: Of a job without an entry: that of its healing, or `unavailable`: an outage, or a damaged object.
Outcome = healing.State | Literal["unavailable"]
OUTCOMES: tuple[Outcome, ...] = ("queued", "waiting", "recent", "paused", "ended", "unavailable")
#: The most names of jobs in a report.
MAX_NAMES = 20


@dataclass
class Report:
    """The work of a part of a sweep.

    `uploads`, `claims` and `entries` count what it read, `jobs` the outcomes of the jobs without an entry. `late` counts those of
    them that began more than a day ago; `names` has the objects of some. `guarded` are those that the runaway guard skips from now
    on. `left_behind` are queues of this deployment to which nothing is queued. `rest` is the next part; without it the sweep is
    complete.
    """

    part: Part
    uploads: int = 0
    claims: int = 0
    entries: int = 0
    jobs: Counter[Outcome] = field(default_factory=Counter)
    late: int = 0
    names: list[str] = field(default_factory=list)
    guarded: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)
    rest: Part | None = None

    def count(self, name: str, outcome: Outcome, is_late: bool) -> None:
        """Count a job without an entry."""
        self.jobs[outcome] += 1
        if is_late and outcome != "ended":
            self.late += 1
            self.names += [name] if len(self.names) < MAX_NAMES else []

    def to_json(self) -> Json:
        read = {"part": self.part.number, "uploads": self.uploads, "claims": self.claims, "entries": self.entries}
        jobs: Json = {outcome: self.jobs[outcome] for outcome in OUTCOMES}
        found = {"late": self.late, "late_names": self.names, "guarded": self.guarded, "queues_left_behind": self.left_behind}
        return {**read, **jobs, **found, "is_complete": self.rest is None}
