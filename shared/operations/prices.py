"""List prices of us-central1 on 2026-11-28, without free quotas, and the calls that a plan is billed for. Pure.

The price of a plan leaves out its outputs and CPU time, which depend on the file: `cost` reads those from manifests.
"""

from dataclasses import dataclass, fields

from shared.model import Json
from shared.plan import Plan

#: Dollars per million operations of Cloud Storage (class A writes and lists, B reads) and Cloud Tasks, and per TiB of Pub/Sub.
CLASS_A, CLASS_B, TASKS, PUBSUB_TIB = 5.0, 0.4, 0.4, 40.0
#: Dollars per million seconds of a vCPU of Cloud Run, billed per request.
CPU = 24.0
#: Usual sizes of notices. Each is published, and delivered to one subscriber.
STEP_NOTICE_BYTES, JOB_NOTICE_BYTES = 2_000, 3_000
DELIVERIES_OF_NOTICE = 2


@dataclass(frozen=True, slots=True)
class Use:
    """Billed use: operations of Cloud Storage and Cloud Tasks, bytes through Pub/Sub, CPU time."""

    writes: int = 0
    reads: int = 0
    tasks: int = 0
    notice_bytes: int = 0
    cpu_seconds: float = 0

    def __add__(self, other: "Use") -> "Use":
        return Use(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    @property
    def calls(self) -> int:
        """The operations of Cloud Storage and Cloud Tasks."""
        return self.writes + self.reads + self.tasks

    @property
    def dollars(self) -> float:
        millions = self.writes * CLASS_A + self.reads * CLASS_B + self.tasks * TASKS + self.cpu_seconds * CPU
        return millions / 1e6 + self.notice_bytes * PUBSUB_TIB / 2**40

    def to_json(self) -> Json:
        values = {field.name: round(getattr(self, field.name), 3) for field in fields(self)}
        return {**values, "calls": self.calls, "dollars": round(self.dollars, 9)}


def of_plan(plan: Plan) -> Use:
    """The least use of one run: each task delivered once, no outputs, no CPU time."""
    tasks = [of_task(len(plan.steps_at(place)), len(plan.before(place))) for place in plan.places]
    return sum(tasks, OF_JOB)


def of_task(steps: int, before: int, *, reads_file: bool = True) -> Use:
    """Its creation and delivery, the file, the manifests of the tasks before it, its own manifest, its notices."""
    return Use(1, reads_file + before, 2, notices(steps))


def notices(steps: int) -> int:
    """The bytes that the notices of so many steps take through Pub/Sub."""
    return DELIVERIES_OF_NOTICE * steps * STEP_NOTICE_BYTES


#: The index entry and the notice of a job.
OF_JOB = Use(writes=1, notice_bytes=DELIVERIES_OF_NOTICE * JOB_NOTICE_BYTES)
#: The claim of a later run, and the lists of the claims and manifests before it.
OF_RERUN = Use(writes=3)
