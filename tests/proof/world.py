"""The simulation: deliveries that hand over at any effect, and faults between them.

Each delivery runs in a thread of its own, but only the one that holds the baton runs: a schedule decides at each effect whether
it goes on, ends there, or waits while another goes on. Equal schedules give equal runs.
"""

import contextlib
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from shared import pipeline
from shared.cloud.protocols import Stored
from shared.errors import Permanent, Unavailable
from shared.events import Notice
from shared.intake import Incoming
from shared.model import File, Run
from shared.operations import rerun
from shared.plan import Plan, Task
from shared.settings import Settings
from tests.proof import scripted, sweeps
from tests.proof.checks import Checks
from tests.proof.deliveries import UPLOAD, Actor, Delivery, Fault
from tests.proof.effects import EffectCloud
from tests.proof.faults import KINDS, Moment
from tests.proof.messages import message
from tests.proof.runs import FRESH, Violation
from tests.proof.scripted import Killed

T = TypeVar("T")
MAX_EFFECTS = 6000
MAX_AT_ONCE = 3
SETTINGS: Mapping[str, str] = {
    "GOOGLE_CLOUD_PROJECT": "local-project",
    "SLUICE_UPLOADS_BUCKET": "uploads",
    "SLUICE_RESULTS_BUCKET": "results",
}


class Aborted(BaseException):
    """The end of a delivery after a violation was found."""


class World:
    """One run: the cloud, the deliveries that wait or are under way, and the faults to come."""

    def __init__(self, plans: Sequence[Plan], faults: Iterable[Fault], settings: Settings) -> None:
        self.plans = plans
        self.faults: dict[int, list[Fault]] = {}
        for fault in faults:
            self.faults.setdefault(fault.at, []).append(fault)
        self.cloud = EffectCloud(settings, self)
        self.checks = Checks(self.cloud)
        self.counts: Counter[str] = Counter()
        self.trace: list[str] = []
        self.effects = 0
        self.sweeps = 0
        self.waiting: list[Delivery] = []
        self.delivered: list[Delivery] = []
        self.actors: list[Actor] = []
        self.violation: Violation | None = None
        self.configured = 0
        self._pick = 0
        self._current: Actor | None = None
        self._back = threading.Semaphore(0)
        self._ticks = itertools.count()

    # ---- what the handlers see ----------------------------------------------------------------------------------------

    def now(self) -> str:
        """A time that no other call gets, so that two drafts of a manifest differ."""
        ticks = next(self._ticks)
        return f"2026-01-01T{ticks // 3_600_000:02}:{ticks // 60_000 % 60:02}:{ticks // 1000 % 60:02}.{ticks % 1000:03}Z"

    def plan(self, _file: File) -> Plan:
        return self.plans[self.configured]

    def effect(self, label: str, act: Callable[[], T]) -> T:
        actor = self._actor()
        number, self.effects = self.effects, self.effects + 1
        self.trace.append(f"{number:4} {actor.delivery.label} #{actor.delivery.number}: {label}")
        if self.effects > MAX_EFFECTS:
            self._violate("the run does not end")
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
            self._checked(lambda: self.checks.created(stored, data))

    def queued(self, task: Task) -> None:
        act = lambda number: pipeline.process(task, number, self.cloud)  # noqa: E731
        self.waiting.append(
            Delivery(f"[{task.place}{f'-s{task.sweep}' if task.sweep else ''} {task.plan.plan8[:3]}]", act, task)
        )

    def published(self, notices: Iterable[Notice]) -> None:
        self._checked(lambda: self.checks.published(notices))

    def try_step(self, step: str, source: bytes) -> int:
        actor = self._actor()
        actor.step, task = step, actor.delivery.task
        assert task
        return self._checked(lambda: self.checks.tried(task, step, source))

    def acknowledge(self) -> None:
        """Answer before the work is done, as no handler may: for mutants."""
        self._actor().is_done = True

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
                pipeline.receive(Incoming(name, "text/plain", iter([data])), self.cloud, "key")

        self.waiting.append(Delivery(UPLOAD, act))

    def rerun(self, file: File, request: str, number: int) -> None:
        """An operator's request to run a file again under one of the plans. One that got no answer is repeated."""
        plan = self.plans[number % len(self.plans)]
        is_fresh = request.startswith(FRESH)
        act = lambda _: rerun.rerun(Run(file), plan, request, self.cloud, fresh=is_fresh)  # noqa: E731
        self.waiting.append(Delivery(f"operator {request}", act))

    def sweep(self) -> None:
        """Queue again every run without an index entry, under names of this sweep."""
        self.sweeps += 1
        self.counts["sweeps"] += 1
        number = self.sweeps
        for run in self.checks.unfinished():
            act = lambda _, run=run: sweeps.sweep(run, number, self.plan(run.file), self.cloud)  # noqa: E731
            self.waiting.insert(0, Delivery(f"sweep {number}", act))

    # ---- the schedule -------------------------------------------------------------------------------------------------

    def drain(self) -> None:
        """Go on until nothing waits and nothing is under way. Raises `Violation`."""
        while not self.violation and (actor := self._next()):
            self._resume(actor)
            if actor.has_ended:
                self._close(actor)
        for actor in list(self.actors):
            self._resume(actor)
        if self.violation:
            raise self.violation

    def _next(self) -> Actor | None:
        others = [actor for actor in self.actors if actor is not self._current]
        startable = self.waiting if len(self.actors) < MAX_AT_ONCE else []
        choices: list[Actor | Delivery] = [*others, *startable] or [*self.actors]
        if not choices:
            return None
        pick, self._pick = self._pick, 0
        chosen = choices[pick % len(choices)]
        return chosen if isinstance(chosen, Actor) else self._start(chosen)

    def _start(self, delivery: Delivery) -> Actor:
        self.waiting.remove(delivery)
        if self.actors:
            self.counts["interleavings"] += 1
        actor = Actor(delivery)
        self.actors.append(actor)
        threading.Thread(target=self._play, args=(actor,), daemon=True).start()
        return actor

    def _play(self, actor: Actor) -> None:
        actor.go.acquire()
        scripted.observer.set(self)
        try:
            actor.delivery.act(actor.delivery.number)
            self.effect("answer", lambda: None)
            actor.is_done = True
        except (Exception, Killed) as fault:
            actor.fault = fault
        except Aborted:
            pass
        finally:
            actor.has_ended = True
            self._back.release()

    def _resume(self, actor: Actor) -> None:
        self._current = actor
        actor.go.release()
        self._back.acquire()

    def hand_over(self, actor: Actor, pick: int) -> None:
        """Let another delivery go on or begin; `pick` chooses it."""
        self._pick = pick
        self.counts["switches"] += 1
        self._back.release()
        actor.go.acquire()
        if self.violation:
            raise Aborted

    def _close(self, actor: Actor) -> None:
        """Take an ended delivery off the stage. One without an answer is delivered again."""
        self.actors.remove(actor)
        delivery = actor.delivery
        if delivery not in self.delivered and delivery.task:
            self.delivered.append(delivery)
        if not actor.is_done:
            self.trace.append(f"     {delivery.label} #{delivery.number} ends with {actor.fault!r}")
            self.checks.cut(delivery.task, actor.step, actor.fault)
            delivery.number += 1
            if not actor.is_lost or delivery.label == UPLOAD:
                self.waiting.append(delivery)

    def _actor(self) -> Actor:
        assert self._current
        return self._current

    def _checked(self, check: Callable[[], T]) -> T:
        try:
            return check()
        except Violation as violation:
            self.violation = violation
            raise Aborted from None

    def _violate(self, sentence: str) -> None:
        self.violation = Violation(sentence)
        raise Aborted
