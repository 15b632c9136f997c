"""Deliveries that take turns: only one goes on at a time, and it hands over where the schedule says so.

A delivery runs in the thread that chose it. Where it hands over, another thread goes on in its place, and it waits. Equal schedules
give equal runs.
"""

import contextlib
import contextvars
import threading
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from tests.proof import scripted
from tests.proof.deliveries import UPLOAD, Actor, Delivery
from tests.proof.runs import Violation
from tests.proof.scripted import Killed

T = TypeVar("T")
MAX_AT_ONCE = 3


class Aborted(BaseException):
    """The end of a delivery after a violation was found."""


class Turns:
    """The deliveries that wait or are under way."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.trace: list[str] = []
        self.waiting: list[Delivery] = []
        self.delivered: list[Delivery] = []
        self.actors: list[Actor] = []
        self.violation: Violation | None = None
        self._pick = 0
        self._current: Actor | None = None
        self._at_rest = threading.Semaphore(0)

    @property
    def current(self) -> Actor:
        """The delivery whose turn it is."""
        assert self._current
        return self._current

    def drain(self) -> None:
        """Go on until nothing waits and nothing is under way. Raises `Violation`."""
        self._go_on(self._next())
        self._at_rest.acquire()
        if self.violation:
            raise self.violation

    def hand_over(self, actor: Actor, pick: int) -> None:
        """Let another delivery go on or begin, if there is one; `pick` chooses it."""
        self._pick = pick
        self.counts["switches"] += 1
        chosen = self._next()
        if chosen is actor:
            return
        if isinstance(chosen, Actor):
            self._go_on(chosen)
        else:
            threading.Thread(target=self._go_on, args=(chosen,), daemon=True).start()
        actor.go.acquire()
        if self.violation:
            raise Aborted

    def checked(self, check: Callable[[], T]) -> T:
        """The result of a check. A violation ends the run."""
        try:
            return check()
        except Violation as violation:
            self.violation = violation
            raise Aborted from None

    def effect(self, label: str, act: Callable[[], T]) -> T:
        """Perform an effect of the current delivery, or raise in its place."""
        raise NotImplementedError

    def try_step(self, step: str, source: bytes) -> int:
        """See that the current delivery begins to work on a step; returns the number of this try, from 0."""
        raise NotImplementedError

    def ended(self, actor: Actor) -> None:
        """See a delivery that ended without an answer."""

    def _go_on(self, chosen: Actor | Delivery | None) -> None:
        """Play this delivery, and then others, until nothing is left or one goes on that waits in another thread."""
        while isinstance(chosen, Delivery):
            actor = self._start(chosen)
            contextvars.copy_context().run(self._play, actor)  # what it logs belongs to it alone
            self._close(actor)
            chosen = self._next()
        if chosen:
            self._current = chosen
            chosen.go.release()
        else:
            self._at_rest.release()

    def _next(self) -> Actor | Delivery | None:
        if self.violation:
            return next(iter(self.actors), None)  # to end it
        others = [actor for actor in self.actors if actor is not self._current]
        startable = self.waiting if len(self.actors) < MAX_AT_ONCE else []
        choices: list[Actor | Delivery] = [*others, *startable] or [*self.actors]
        pick, self._pick = self._pick, 0
        return choices[pick % len(choices)] if choices else None

    def _start(self, delivery: Delivery) -> Actor:
        self.waiting.remove(delivery)
        if self.actors:
            self.counts["interleavings"] += 1
        self._current = Actor(delivery)
        self.actors.append(self._current)
        return self._current

    def _play(self, actor: Actor) -> None:
        scripted.observer.set(self)
        try:
            with contextlib.suppress(Aborted):
                actor.delivery.act(actor.delivery.number)
                self.effect("answer", lambda: None)
                actor.is_done = True
        except (Exception, Killed) as fault:
            actor.fault = fault

    def _close(self, actor: Actor) -> None:
        """Take an ended delivery off the stage. One without an answer is delivered again."""
        self.actors.remove(actor)
        delivery = actor.delivery
        if delivery not in self.delivered and delivery.task:
            self.delivered.append(delivery)
        if not actor.is_done and not self.violation:
            self.trace.append(f"     {delivery.label} #{delivery.number} ends with {actor.fault!r}")
            self.ended(actor)
            delivery.number += 1
            if not actor.is_lost or delivery.label == UPLOAD:
                self.waiting.append(delivery)
