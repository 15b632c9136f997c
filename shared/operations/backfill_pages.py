"""A page of a backfill: up to a thousand objects, of which those without an entry get run 0.

Safe to repeat. A queue takes files from it only while few tasks wait there: as many as it answered in the last minute, or `FEW`.
So a live upload waits about a minute longer than without it. The first file for which a queue has no room ends the page; the next
begins there.
"""

import contextvars
import functools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TypeVar

from shared import clock, events, index, ledger, log, uploaded
from shared.backfill_page import Page
from shared.cloud.protocols import Cloud, QueueState, Stored
from shared.errors import Transient
from shared.guard import day_of
from shared.model import File, Json, Run
from shared.operations import backfill as backfills
from shared.operations import healing, parallel
from shared.operations.backfill import Backfill, Progress
from shared.operations.sweep import DAY_SECONDS, GENERATIONS_PER_SECOND, PAGE_OBJECTS
from shared.plan import Plan
from shared.sweep_part import WINDOW_DAYS

A = TypeVar("A")
B = TypeVar("B")
#: The decision about a file without an entry.
QUEUE, WAIT = "queue", "wait"
#: Tasks that may wait in a queue however slow it is.
FEW = 20
#: The pause after a page for which a queue had no room; it doubles up to the second while no file has room.
PAUSE_SECONDS, MOST_PAUSE_SECONDS = 20, 320
#: Deliveries of a page that the first fault ends. The later ones leave this many files behind: with more it is an outage.
DELIVERIES, MOST_FAULTS = 5, 10


def work(page: Page, delivery: int, cloud: Cloud) -> Json:
    """Do a page, note how far it came, and queue the next one. Raises `NotFound` and `Unavailable`."""
    found = backfills.find(page.backfill, cloud.results)
    if page.mark != len(found.marks) or found.is_stopped:
        return {"state": "stopped"}
    if found.progress.number < page.number:
        progress = _Page(found, delivery, cloud).work()
        found = Backfill(found.begun, backfills.commit(page.backfill, progress, cloud.results), found.marks)
        log.info("backfilled a page", backfill=page.backfill, **found.progress.to_json())
    if found.goes_on:
        cloud.queue.add(found.next)
    return found.progress.to_json()


class _Page:
    """A page under way."""

    def __init__(self, found: Backfill, delivery: int, cloud: Cloud) -> None:
        self._begun = found.begun
        self._before = found.progress
        self._mark = len(found.marks)
        self._most_faults = 0 if delivery <= DELIVERIES else MOST_FAULTS
        self._faults: list[str] = []
        self._cloud = cloud
        self._newest = (found.begun.began - cloud.settings.sweep_after_seconds) * GENERATIONS_PER_SECOND
        self._state: Callable[[str], QueueState] = functools.cache(cloud.queue.state)
        self._room: dict[str, int] = {}
        self._waits: dict[str, str] = {}
        is_resumed = self._before.mark != self._mark
        self._left = found.begun.limit if is_resumed else self._before.left
        self._context = contextvars.copy_context()  # a thread of the pool has none of the request's fields

    def work(self) -> Progress:
        """Deal with the objects up to the first that must wait."""
        begun, before, cloud = self._begun, self._before, self._cloud
        listed = cloud.uploads.objects(begun.prefix, before.after or begun.prefix, PAGE_OBJECTS)
        fresh = [stored for stored in listed if stored.name > before.after]
        passed, after = list(self._passed(fresh)), before.after
        counts = Counter(before.counts)
        for (stored, _), outcome in zip(passed, parallel.each(self._act, passed), strict=True):
            counts[outcome] += 1
            counts["files"] += 1
            after = stored.name
        is_done = len(listed) < PAGE_OBJECTS and len(passed) == len(fresh)
        wait = self._pause(len(passed)) if self._waits else 0
        left = self._left if begun.limit else 0
        return Progress(before.number + 1, self._mark, after, is_done, left, counts, self._waits, wait, clock.now())

    def _pause(self, passed: int) -> int:
        return PAUSE_SECONDS if passed else min(max(PAUSE_SECONDS, 2 * self._before.wait_seconds), MOST_PAUSE_SECONDS)

    def _passed(self, fresh: list[Stored]) -> Iterator[tuple[Stored, str]]:
        """The objects that this page deals with, each with its outcome, or `queue`."""
        look = lambda stored: (stored, self._guarded(stored, self._look, stored))  # noqa: E731
        with closing(parallel.each(look, fresh)) as looked:
            for stored, found in looked:
                outcome = self._guarded(stored, self._decide, found) if isinstance(found, Plan) else found
                if outcome == WAIT:
                    return
                yield stored, outcome

    def _look(self, stored: Stored) -> str | Plan:
        """The plan of a file without an entry, else the outcome.

        A file that was never seen costs one call, an ended one two.
        """
        if stored.generation > self._newest:
            return "new"
        if events.why_ignored(uploaded.as_file(stored, self._cloud)):
            return "ignored"
        run = Run(uploaded.as_file(stored, self._cloud))
        found = ledger.find(self._cloud.results, ledger.job_name(run))
        if found and index.has_entry(self._cloud.results, run):
            return "ended"
        return found.plan if found else self._cloud.routes.plan(self._file(stored))

    def _decide(self, plan: Plan) -> str:
        """Whether the ceiling and each queue of this plan have room for one more."""
        if self._begun.limit and not self._left:
            return WAIT
        queues = {place.queue for place in plan.places}
        self._waits = {queue: why for queue in sorted(queues) if (why := self._why_full(queue))}
        if self._waits:
            return WAIT
        for queue in queues:
            self._room[queue] -= 1
        self._left -= 1
        return QUEUE

    def _why_full(self, queue: str) -> str:
        state = self._state(queue)
        if state.is_paused:
            return "paused"
        return "" if self._room.setdefault(queue, max(FEW, state.last_minute) - state.depth) > 0 else "full"

    def _act(self, passed: tuple[Stored, str]) -> str:
        stored, outcome = passed
        return self._guarded(stored, self._queue, stored) if outcome == QUEUE else outcome

    def _queue(self, stored: Stored) -> str:
        file = self._file(stored)
        log.bind(object=file.name, job=Run(file).job_id)
        log.follow(Run(file).job_id, "sweeper", self._begun.backfill)
        return healing.upload(file, self._numbers(file), self._cloud, lambda queue: self._state(queue).is_paused)

    def _file(self, stored: Stored) -> File:
        return uploaded.live(stored, self._cloud)

    def _numbers(self, file: File) -> range:
        """The number of the backfill's day; of a file that sweeps look at too, also those of the sweeps before."""
        today, day = self._begun.began // DAY_SECONDS, day_of(file.generation)
        return range(day if today - day <= WINDOW_DAYS else today, today + 1)

    def _guarded(self, stored: Stored, act: Callable[[A], B], argument: A) -> B | str:
        """Act on one object. Of a page that was repeated, a few faults keep it from the others no longer."""
        try:
            return self._context.copy().run(act, argument)
        except Exception as error:
            self._faults.append(stored.name)
            if len(self._faults) > self._most_faults:
                raise
            failure = None if isinstance(error, Transient) else error
            log.error("left behind by the backfill; begin it again once this is mended", failure, object=stored.name)
        return "unavailable"
