"""The invariants of lists, statuses and notices at every moment. No I/O.

No two answers are of the same moment, so each is held against those that had come before it was asked for. What may lag: the index
entry behind the status, a notice behind both, a list behind an upload until its first task is queued.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.index import PROCESSING, Entry
from shared.operations.listing import Query

Json = Mapping[str, Any]
#: States of the status service for a file in work.
IN_WORK = (PROCESSING, "accepted")


@dataclass
class Seen:
    """The history of one file in all answers so far; the number of a run is -1 before any."""

    run: int = 0
    listed: int = -1  # the newest run that a list showed as ended
    ended: int = -1  # the newest run that any answer showed as ended
    is_listable: bool = False  # a list had it, or it had a task
    verdicts: dict[int, str] = field(default_factory=dict)
    steps: dict[tuple[int, str], str] = field(default_factory=dict)


@dataclass
class Agreement:
    """The contradictions between all answers so far, each as a sentence."""

    faults: list[str] = field(default_factory=list)
    _files: dict[str, Seen] = field(default_factory=dict)
    _notices: dict[str, object] = field(default_factory=dict)

    def listed(self, jobs: Sequence[Entry], query: Query) -> list[str]:
        """A whole list: all pages of it. Returns the job ids, of run 0, that are missing."""
        keys = [job.file_key for job in jobs]
        self._hold(keys == sorted(set(keys)), "a list is out of order, or has a file twice")
        for job in jobs:
            seen, what = self._of(job.job_id), f"list: {job.job_id} {job.verdict}"
            self._hold(query.wants(job), f"{what}: unwanted")
            self._hold(job.run >= seen.run, f"{what}: run {seen.run} was there before")
            if job.verdict == PROCESSING:
                self._hold(job.run > seen.listed, f"{what}: it had ended")
            else:
                self._end(what, seen, job.run, job.verdict)
                seen.listed = max(seen.listed, job.run)
            seen.run, seen.is_listable = max(seen.run, job.run), True
        return self._missing({job.job_id.partition("-r")[0] for job in jobs}) if query == Query() else []

    def status(self, body: Json) -> None:
        """An answer of the status service about the newest run of a file."""
        run, state = body["run"], body["state"]
        seen, what = self._of(body["job_id"]), f"status: {body['job_id']} {state}"
        self._hold(run >= seen.run, f"{what}: run {seen.run} was there before")
        if state in IN_WORK:
            self._hold(run > seen.ended, f"{what}: it had ended")
        else:
            self._end(what, seen, run, state)
        seen.run = max(seen.run, run)
        for step in body["steps"]:
            if step["state"] == "done":
                self._step(what, seen, (run, step["step"]), step["verdict"])
            else:
                self._hold((run, step["step"]) not in seen.steps, f"{what}: step {step['step']} had ended")
            seen.is_listable |= step["state"] in ("queued", "running")

    def noticed(self, identity: str, body: Json, content: object) -> None:
        """A notice: its `ce-id`, its data, and all that must be the same when it comes again."""
        seen, what = self._of(body["job_id"]), f"notice {identity} {body['verdict']}"
        self._hold(self._notices.setdefault(identity, content) == content, f"{what}: differs from one with the same id")
        seen.run = max(seen.run, body["run"])
        if "step" in body:
            self._step(what, seen, (body["run"], body["step"]), body["verdict"])
            seen.is_listable = True
        else:
            self._end(what, seen, body["run"], body["verdict"])

    def _missing(self, listed: Collection[str]) -> list[str]:
        missing = [name for name, seen in self._files.items() if seen.is_listable and name not in listed]
        for name in missing:
            self._hold(False, f"list: {name} is missing, last seen in run {self._files[name].run}")
        return missing

    def _end(self, what: str, seen: Seen, run: int, verdict: str) -> None:
        first = seen.verdicts.setdefault(run, verdict)
        self._hold(first == verdict, f"{what}: its verdict was {first}")
        seen.ended = max(seen.ended, run)

    def _step(self, what: str, seen: Seen, step: tuple[int, str], verdict: str) -> None:
        first = seen.steps.setdefault(step, verdict)
        self._hold(first == verdict, f"{what}: step {step[1]} is {verdict}, and was {first}")

    def _of(self, job_id: str) -> Seen:
        return self._files.setdefault(job_id.partition("-r")[0], Seen())

    def _hold(self, is_true: bool, sentence: str) -> None:
        if not is_true:
            self.faults.append(sentence)
