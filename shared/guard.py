"""The runaway guard, as the pipeline sees it: an upload that may come from a loop is skipped.

In a loop, results are uploaded again, and each run leads to the next. Hops end it where metadata is copied: each output and each
extracted file has in its metadata the number of files that it came out of, one after the other. Where it is not, marks do:
`guard/<day>/files`, and `guard/<day>/<file_id>` for one object. The sweep sets them, and counts for the uploads of one day, in UTC.
A mark holds until `<mark>.lifted` stands beside it. Only run 0 is skipped: a later run was asked for.
"""

import time
from collections.abc import Callable

from shared import extraction
from shared.cloud.protocols import Bucket
from shared.model import File, Run, Verdict
from shared.processors.archive_options import MOST_DEPTH

Refusal = tuple[Verdict, str, str]
#: The prefix of the marks in the results bucket.
PREFIX = "guard/"
#: The mark of all uploads of a day.
FILES = "files"
LIFTED = ".lifted"
#: Most hops of a file: as many as archives in archives may have.
MOST_HOPS = MOST_DEPTH
#: The marks of a day are read again after this time.
KEPT_SECONDS = 60
#: A generation is the time of its upload, in microseconds.
GENERATIONS_PER_DAY = 24 * 3600 * 10**6


def day_of(generation: int) -> int:
    """The day of an upload, in UTC, counted from 1970."""
    return generation // GENERATIONS_PER_DAY


def folder(day: int) -> str:
    """The prefix of the marks of this day."""
    return f"{PREFIX}{day}/"


def too_many_hops(run: Run) -> Refusal | None:
    """The verdict, reason and message for a file that came out of too many others, one after the other; else None."""
    hops = extraction.hops(run.file)
    if run.number or hops <= MOST_HOPS:
        return None
    made = f"it came out of {hops} files, one after the other; the limit is {MOST_HOPS}"
    return "skipped", "guard", f"{made}: are results uploaded again, in a loop?"


class Guard:
    """The marks, each day's read once a minute: a healthy file costs no call of its own."""

    def __init__(self, results: Bucket, now: Callable[[], float] = time.monotonic) -> None:
        self._results = results
        self._now = now
        #: by day: when they are read again, and the marks
        self._read: dict[int, tuple[float, frozenset[str]]] = {}

    def refusal(self, run: Run) -> Refusal | None:
        """The verdict, reason and message for a file under a mark that holds; else None. Raises `Unavailable`."""
        marks = self._marks(run.file) if run.number == 0 else frozenset()
        holding = {mark for mark in (FILES, run.file.file_id) if mark in marks and mark + LIFTED not in marks}
        if not holding:
            return None
        most = "more files were uploaded on its day" if FILES in holding else "the object was uploaded more often on its day"
        return "skipped", "guard", f"{most} than the runaway guard allows"

    def may_have_ended(self, file: File) -> bool:
        """Whether this file is or was under a mark: it may have ended before its task. Raises `Unavailable`."""
        return bool(self._marks(file) & {FILES, file.file_id})

    def _marks(self, file: File) -> frozenset[str]:
        day = day_of(file.generation)
        until, marks = self._read.get(day, (0.0, None))
        now = self._now()
        if marks is None or now >= until:
            if marks is not None:  # other threads take these meanwhile
                self._read[day] = now + KEPT_SECONDS, marks
            marks = frozenset(name.removeprefix(folder(day)) for name in self._results.names(folder(day)))
            self._read[day] = now + KEPT_SECONDS, marks
        return marks
