"""The simulation: deliveries that hand over at any effect, and faults between them.

A schedule decides at each effect of a delivery whether it goes on, ends there, or waits while another goes on.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from shared import pipeline
from shared.cloud.protocols import Stored
from shared.errors import NotFound, Permanent, Unavailable
from shared.events import Notice
from shared.intake import Incoming
from shared.model import File, Run
from shared.operations import cancel, rerun
from shared.plan import Plan, Task
from shared.settings import Settings
from tests.proof import sweeps
from tests.proof.checks import Checks
from tests.proof.deliveries import OPERATOR, UPLOAD, Actor, Delivery, Fault
from tests.proof.effects import EffectCloud
from tests.proof.faults import KINDS, Moment
from tests.proof.messages import message
from tests.proof.runs import CANCEL, FRESH, require
from tests.proof.turns import Turns

T = TypeVar("T")
MAX_EFFECTS = 6000
#: The effects that change the cloud, or end a delivery.
CHANGES = ("create", "overwrite", "queue", "delete", "publish", "answer")
SETTINGS: Mapping[str, str] = {
    "GOOGLE_CLOUD_PROJECT": "local-project",
    "SLUICE_UPLOADS_BUCKET": "uploads",
    "SLUICE_RESULTS_BUCKET": "results",
}


class World(Turns):
    """One run: the cloud, the deliveries that wait or are under way, and the faults to come."""

    def __init__(self, plans: Sequence[Plan], faults: Iterable[Fault], settings: Settings) -> None:
        super().__init__()
        self.plans = plans
        self.faults: dict[int, list[Fault]] = {}
        for fault in faults:
            self.faults.setdefault(fault.at, []).append(fault)
        self.cloud = EffectCloud(settings, self)
        self.checks = Checks(self.cloud)
        self.effects = 0
        #: the numbers of the effects that change the cloud, and of the first of each delivery
        self.decisive: set[int] = set()
        self.sweeps = 0
        self.configured = 0
        self._ticks = itertools.count()

    # ---- what the handlers see ----------------------------------------------------------------------------------------

    def now(self) -> str:
        """A time that no other call gets, so that two drafts of a manifest differ."""
        ticks = next(self._ticks)
        return f"2026-01-01T{ticks // 3_600_000:02}:{ticks // 60_000 % 60:02}:{ticks // 1000 % 60:02}.{ticks % 1000:03}Z"

    def plan(self, _file: File) -> Plan:
        return self.plans[self.configured]

    def effect(self, label: str, act: Callable[[], T]) -> T:
        actor = self.current
        number, self.effects = self.effects, self.effects + 1
        if actor.is_new or label.startswith(CHANGES):
            actor.is_new = False
            self.decisive.add(number)
        self.trace.append(f"{number:4} {actor.delivery.label} #{actor.delivery.number}: {label}")
        if self.effects > MAX_EFFECTS:
            self.checked(lambda: require(False, "the run does not end"))
        is_unsure = False
        for fault in self.faults.get(number, ()):
            is_unsure |= fault.kind == "unsure"
            self.trace.append(f"     *** {fault}")
            self.counts[fault.kind] += 1
            KINDS[fault.kind](Moment(self, actor, label, fault.pick))
        result = act()
        if is_unsure:
            raise Unavailable("no answer (planted); retry")
        return result

    def created(self, bucket: str, stored: Stored, data: bytes) -> None:
        if bucket == self.cloud.uploads.name:
            file = self.checks.uploaded(stored, data)
            self.notify(file)
        else:
            self.checked(lambda: self.checks.created(stored, data))

    def is_waiting(self, task: Task) -> bool:
        """Whether a delivery of this task waits, or is under way and not lost."""
        under_way = (actor.delivery for actor in self.actors if not actor.is_lost)
        return any(one.is_of(task) for one in (*self.waiting, *under_way))

    def queued(self, task: Task) -> None:
        act = lambda number: pipeline.process(task, number, self.cloud)  # noqa: E731
        self.waiting.append(
            Delivery(f"[{task.place}{f'-s{task.sweep}' if task.sweep else ''} {task.plan.plan8[:3]}]", act, task)
        )

    def deleted(self, task: Task) -> None:
        self.waiting = [one for one in self.waiting if not one.is_of(task)]
        for actor in self.actors:
            actor.is_lost |= actor.delivery.is_of(task)

    def published(self, notices: Iterable[Notice]) -> None:
        self.checked(lambda: self.checks.published(notices))

    def try_step(self, step: str, source: bytes) -> int:
        actor = self.current
        actor.step, task = step, actor.delivery.task
        assert task
        return self.checked(lambda: self.checks.tried(task, step, source))

    def ended(self, actor: Actor) -> None:
        self.checks.cut(actor.delivery.task, actor.step, actor.fault)

    def acknowledge(self) -> None:
        """Answer before the work is done, as no handler may: for mutants."""
        self.current.is_done = True

    # ---- what a run begins with ---------------------------------------------------------------------------------------

    def upload(self, name: str, data: bytes, metadata: Mapping[str, str]) -> None:
        """Put a file into the bucket, as `gsutil cp` does."""
        self.created("uploads", self.cloud.uploads.inner.put(name, data, "text/plain", metadata), data)

    def notify(self, file: File) -> None:
        """Send the notification of an upload."""
        act = lambda _: pipeline.dispatch(message(file), self.cloud)  # noqa: E731
        self.waiting.append(Delivery(f"message {file.generation % 1000}", act))

    def post(self, name: str, data: bytes) -> None:
        """Post a file to the upload service. The client repeats a request that got no answer, or 5xx."""

        def act(number: int) -> None:
            with contextlib.suppress(Permanent):
                pipeline.receive(Incoming(name, "text/plain", iter([data])), self.cloud, b"seed")

        self.waiting.append(Delivery(UPLOAD, act))

    def ask(self, file: File, request: str, number: int) -> None:
        """A request of an operator: to cancel a file, or to run it again under one of the plans."""
        if request == CANCEL:
            self.cancel(file)
        else:
            self.rerun(file, request, self.plans[number % len(self.plans)])

    def rerun(self, file: File, request: str, plan: Plan) -> None:
        """An operator's request to run a file again. One that got no answer is repeated."""

        def act(_: int) -> None:
            ended = set(self.checks.runs.entries)
            answer = rerun.rerun(Run(file), plan, request, self.cloud, fresh=request.startswith(FRESH))
            self.checked(lambda: self.checks.runs.answered(answer, request, ended))

        self.waiting.append(Delivery(f"{OPERATOR} {request}", act))

    def cancel(self, file: File) -> None:
        """An operator's request to cancel the newest run of a file. One that got no answer is repeated."""

        def act(_: int) -> None:
            self.checks.cancelling.add(file.file_id)
            claimed = set(self.checks.runs.claims)
            with contextlib.suppress(NotFound):
                answer = cancel.cancel(file.name, self.cloud)
                self.checked(lambda: self.checks.cancelled(answer, claimed))

        self.waiting.append(Delivery(f"{OPERATOR} {CANCEL}", act))

    def sweep(self) -> None:
        """Queue again every run without an index entry, under names of this sweep."""
        self.sweeps += 1
        self.counts["sweeps"] += 1
        number = self.sweeps
        for run in self.checks.unfinished():
            act = lambda _, run=run: sweeps.sweep(run, number, self.cloud)  # noqa: E731
            self.waiting.insert(0, Delivery(f"sweep {number}", act))
