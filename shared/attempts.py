"""The attempts of each step, as notes in the results bucket: they bound the work on a step that kills processes.

`attempts/<job_id>-<plan8>-<stage>-<queue>/<step>/` holds `<k>-begun`, `<k>-void` (a fault of ours: the attempt does not count),
`<k>-error` (an unforeseen exception), `done` (the step's result), and `from-<n>` (a part of the work of `shared.extraction`). A
swept task counts anew: its notes begin with `s<n>-`. The first delivery leaves no `begun` and no `done`, because nearly all tasks
need only that one. It counts as attempt 1 if it left an error. If it left nothing, it may never have reached a processor: then it
costs no attempt.
"""

import contextlib
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from shared import clock, lifecycle
from shared.cloud.protocols import AlreadyExists, Bucket
from shared.errors import Transient, Unavailable
from shared.model import Json, Result, canonical
from shared.plan import PlannedStep, Task

#: After this many voided attempts of a step, only deliveries whose numbers grow by this factor begin another one. A week's outage
#: then leaves a step at most 2 × (20 + 57) notes, even with pauses of 0.1 s: 6 million deliveries are 57 powers of 1.25 above 20.
FREE_VOIDS = 20
SPARSE_FACTOR = 1.25
KILLED = "the last attempt left no error message: its process was killed, or ran out of time"

_NOTE = re.compile(r"(?P<step>[^/]+)/(?:s(?P<sweep>[0-9]+)-)?(?P<attempt>[0-9]+)-(?P<kind>begun|void|error)")


@dataclass(frozen=True, slots=True)
class _Notes:
    """The numbers of one step's attempts, by kind of note."""

    begun: frozenset[int]
    void: frozenset[int]
    error: frozenset[int]

    @property
    def last(self) -> int:
        """The number of the last attempt; 0 before any."""
        return max(self.begun | self.void | self.error, default=0)


def folder(task: Task) -> str:
    """The prefix of this task's notes."""
    return f"{lifecycle.NOTES}{task.run.job_id}-{task.plan.plan8}-{task.place}/"


class Attempts:
    """The attempts of one delivery of a task; `delivery` counts from 1."""

    def __init__(self, task: Task, delivery: int, results: Bucket) -> None:
        self._task = task
        self._delivery = delivery
        self._results = results
        self._folder = folder(task)
        self._listed: list[str] | None = None

    @property
    def _names(self) -> list[str]:
        """The names of all notes of the task, without its folder; listed once."""
        # No cached_property: until Python 3.12 its lock is that of the class, and deliveries would wait for each other's lists.
        if self._listed is None:
            self._listed = [name.removeprefix(self._folder) for name in self._results.names(self._folder)]
        return self._listed

    def done(self, step: PlannedStep) -> Result | None:
        """The result of this step by an earlier delivery, or None."""
        if self._delivery == 1 or f"{step.name}/done" not in self._names:
            return None
        return self._read_done(step)

    def begin(self, step: PlannedStep) -> int | None:
        """Begin an attempt and return its number, 0 for a delivery that counts as none; None when all are used up."""
        if self._delivery == 1:
            return 1
        while True:
            notes = self._notes(step)
            is_left = notes.last < step.attempts + len(notes.void)
            if not is_left and self._is_fresh():
                return None
            if is_left and len(notes.void) >= FREE_VOIDS and not _is_sparse(self._delivery):
                return 0
            if is_left and self._create(step, notes.last + 1, "begun", ""):
                return notes.last + 1

    def end(self, step: PlannedStep, result: Result) -> Result:
        """Keep the result for later deliveries; returns the one that stands, which may be another delivery's."""
        if self._delivery == 1:
            return result
        try:
            self._results.create(f"{self._folder}{step.name}/done", "application/json", canonical(result.to_json()))
            return result
        except AlreadyExists:
            return self._read_done(step)

    def kept(self, step: PlannedStep, name: str) -> Json | None:
        """The part of a step's work that an earlier delivery kept under this name, or None."""
        is_first = self._delivery == 1 and not self._task.sweep
        return None if is_first or f"{step.name}/{name}" not in self._names else self._read_kept(step, name)

    def keep(self, step: PlannedStep, name: str, part: Json) -> Json:
        """Keep a part of a step's work for later deliveries; returns the one that stands."""
        try:
            self._results.create(f"{self._folder}{step.name}/{name}", "application/json", canonical(part))
            return part
        except AlreadyExists:
            return self._read_kept(step, name)

    def void(self, step: PlannedStep, attempt: int, message: str) -> None:
        """Give an attempt back after a fault of ours. Best effort: a failure to write must not hide the fault itself."""
        self._note(step, attempt, "void", message)

    def error(self, step: PlannedStep, attempt: int, message: str) -> None:
        """Keep the error of an attempt for the `dead` verdict and the status service. Best effort, as for `void`."""
        self._note(step, attempt, "error", message)

    def last_error(self, step: PlannedStep) -> str:
        """The error of the last attempt, or a sentence that says why it is missing."""
        notes = self._notes(step)
        body = self._results.read(self._name(step, notes.last, "error")) if notes.last in notes.error else None
        return str(json.loads(body)["message"]) if body else KILLED

    def _notes(self, step: PlannedStep) -> _Notes:
        return _parse(self._names, step.name, self._task.sweep)

    def _is_fresh(self) -> bool:
        """Whether the list is unchanged when read again: another delivery may have given attempts back since."""
        before = self._names
        self._forget_names()
        return before == self._names

    def _forget_names(self) -> None:
        self._listed = None

    def _create(self, step: PlannedStep, attempt: int, kind: str, message: str) -> bool:
        """Write a note; False when another delivery wrote it."""
        note = {"step": step.name, "attempt": attempt, "delivery": self._delivery, "message": message, "time": clock.now()}
        try:
            self._results.create(self._name(step, attempt, kind), "application/json", canonical(note))
        except AlreadyExists:
            self._forget_names()
            return False
        return True

    def _note(self, step: PlannedStep, attempt: int, kind: str, message: str) -> None:
        if kind == "void" and attempt == 0:  # no attempt: nothing to give back, but the error helps people
            kind = "error"
        with contextlib.suppress(Transient):
            self._create(step, attempt, kind, message)

    def _name(self, step: PlannedStep, attempt: int, kind: str) -> str:
        sweep = f"s{self._task.sweep}-" if self._task.sweep else ""
        return f"{self._folder}{step.name}/{sweep}{attempt}-{kind}"

    def _read_done(self, step: PlannedStep) -> Result:
        return Result.from_json(self._read_kept(step, "done"))

    def _read_kept(self, step: PlannedStep, name: str) -> Json:
        body = self._results.read(f"{self._folder}{step.name}/{name}")
        if body is None:
            raise Unavailable(f"the result of step {step.name} exists but cannot be read; retry")
        found: Json = json.loads(body)
        return found


def _is_sparse(delivery: int) -> bool:
    """Whether a power of `SPARSE_FACTOR` lies between the delivery before and this one."""
    return math.floor(math.log(delivery, SPARSE_FACTOR)) > math.floor(math.log(delivery - 1, SPARSE_FACTOR))


def _parse(names: Iterable[str], step: str, sweep: int) -> _Notes:
    numbers: dict[str, set[int]] = {"begun": set(), "void": set(), "error": set()}
    for found in filter(None, map(_NOTE.fullmatch, names)):
        if found["step"] == step and int(found["sweep"] or 0) == sweep:
            numbers[found["kind"]].add(int(found["attempt"]))
    return _Notes(**{kind: frozenset(values) for kind, values in numbers.items()})


@dataclass(frozen=True, slots=True)
class Standing:
    """A step of a task that was delivered: its attempts that count, and its latest `error` or `void` note."""

    attempt: int
    error: Json | None


def standings(results: Bucket, task: Task) -> dict[str, Standing]:
    """The standing of each step of a task without a manifest, by its name, in the latest sweep with notes."""
    prefix = folder(task)
    names = [name.removeprefix(prefix) for name in results.names(prefix)]
    return {step.name: _standing(step.name, names, prefix, results) for step in task.steps}


def _standing(step: str, names: list[str], prefix: str, results: Bucket) -> Standing:
    mine = [found for found in map(_NOTE.fullmatch, names) if found and found["step"] == step]
    sweep = max((int(found["sweep"] or 0) for found in mine), default=0)
    notes = _parse(names, step, sweep)
    last = max([*notes.error, *notes.void], default=None)
    kind = "error" if last in notes.error else "void"
    body = None if last is None else results.read(f"{prefix}{step}/{f's{sweep}-' if sweep else ''}{last}-{kind}")
    return Standing(max(1, notes.last - len(notes.void)), json.loads(body) if body else None)
