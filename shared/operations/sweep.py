"""The sweep: what has no index entry is queued again. Safe to repeat, and to run twice at once.

It reads the index of its window once, and keeps 16 bytes of each entry; then it walks the claims and the uploads. A healthy file
costs no call of its own: a sweep makes a list call for a thousand uploads, for a thousand claims, and for a thousand entries of
the window. Each run that has no entry is looked at by itself. The runaway guard counts the same entries.
"""

import contextvars
import functools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from shared import events, index, log, uploaded
from shared.cloud.protocols import Bucket, Cloud, Stored
from shared.errors import Transient, Unavailable
from shared.guard import day_of
from shared.index import RERUN, VERDICTS
from shared.manifest import Claim
from shared.model import Run
from shared.operations import guard, healing, parallel
from shared.operations.ended import Ended
from shared.operations.guard import Day
from shared.operations.sweep_report import Outcome, Report
from shared.sweep_part import CLAIMS, QUEUE, UPLOADS, WINDOW_DAYS, Part

DAY_SECONDS = 24 * 3600
#: A part ends after this time: Cloud Tasks and Cloud Scheduler wait for half an hour.
PART_SECONDS = 25 * 60
#: A part walks for so long even if its time was over when it had read the index: each part leaves less to the next.
LEAST_SECONDS = 3 * 60
#: A call that fails is repeated so long, so that the other files of the part have their turn.
RETRY_SECONDS = 20.0
#: Objects in one answer of a list: the most that Cloud Storage gives.
PAGE_OBJECTS = 1000
#: A generation is the time of its upload.
GENERATIONS_PER_SECOND = 10**6


def sweep(part: Part, cloud: Cloud, has_time: Callable[[], bool]) -> Report:
    """Sweep until the time is over; `rest` of the report is what is left then. Raises `Unavailable`."""
    it = _Sweep(part, cloud, has_time)
    it.read_index()
    if not part.number:
        it.enforce_ceilings()
    if part.walk == CLAIMS and (left := it.claims(part.start)):
        it.report.rest = part.rest(CLAIMS, left)
    elif left := it.uploads(part.start if part.walk == UPLOADS else ""):
        it.report.rest = part.rest(UPLOADS, left)
    else:
        it.report.left_behind = queues_left_behind(cloud)
    _log(it.report)
    return it.report


def sweep_and_go_on(part: Part, cloud: Cloud) -> Report:
    """Sweep for the time of a part, and queue the next part where something is left. Raises `Unavailable`."""
    end, walks_from = time.monotonic() + PART_SECONDS, functools.cache(time.monotonic)
    report = sweep(part, cloud, lambda: max(end, walks_from() + LEAST_SECONDS) > time.monotonic())
    if report.rest:
        cloud.queue.add(report.rest)
    return report


def queues_left_behind(cloud: Cloud) -> list[str]:
    """The queues of this deployment that neither pipeline.toml nor the deployment itself has. Raises `Unavailable`.

    Those of a deployment whose prefix is longer than ours begin with our prefix too. Each deployment has a sweeper's queue.
    """
    ours = {QUEUE, *cloud.routes.queues, *(webhook.queue for webhook in cloud.routes.webhooks.values())}
    others = [name for name in cloud.queue.names() if name not in ours]
    neighbours = tuple(name.removesuffix(QUEUE) for name in others if name.endswith(f"-{QUEUE}"))
    return sorted(name for name in others if not name.startswith(neighbours))


def _log(report: Report) -> None:
    log.bind()
    found = report.to_json()
    log.info("swept", **{name: value for name, value in found.items() if not isinstance(value, list)})
    if report.late:
        log.warning("jobs wait for more than a day", jobs=report.late, objects=report.names)
    if report.left_behind:
        log.warning("queues that pipeline.toml does not have", queues=report.left_behind)


class _Sweep:
    """A part of a sweep under way."""

    def __init__(self, part: Part, cloud: Cloud, has_time: Callable[[], bool]) -> None:
        self.report = Report(part)
        self._part = part
        self._cloud = cloud
        self._has_time = has_time
        self._newest = (part.began - cloud.settings.sweep_after_seconds) * GENERATIONS_PER_SECOND
        self._oldest = (part.began - WINDOW_DAYS * DAY_SECONDS) * GENERATIONS_PER_SECOND
        self._ended = Ended()
        self._today = Day(part.began * GENERATIONS_PER_SECOND)
        self._is_paused = functools.cache(lambda queue: cloud.queue.state(queue).is_paused)

    def read_index(self) -> None:
        """Remember the jobs of the window's uploads that have ended, and count those of the day up to now."""
        for verdict in VERDICTS:
            for job_id in index.ended(self._cloud.results, verdict, self._oldest, self._part.began * GENERATIONS_PER_SECOND):
                self._ended.add(job_id)
                self._today.add(job_id)
        self.report.entries = len(self._ended)

    def enforce_ceilings(self) -> None:
        """Have the runaway guard skip what went beyond its ceilings. An outage is left to the next sweep."""
        try:
            self.report.guarded = guard.enforce(self._today, self._cloud)
        except Transient as error:
            log.warning("the runaway guard could not be set; the next sweep tries again", error=error.message)

    def claims(self, start: str) -> str:
        """Heal the later runs from this claim on; returns the name of the first claim that is left, or nothing."""

        def is_open(claim: Stored) -> bool:
            self.report.claims += 1
            return self._is_in_window(claim) and index.job_of(claim.name) not in self._ended

        folder = index.folder(RERUN)
        return self._each(walk(self._cloud.results, folder, start or folder), is_open, self._claim)

    def uploads(self, start: str) -> str:
        """Heal the first runs from this object on; returns the name of the first upload that is left, or nothing."""

        def is_open(upload: Stored) -> bool:
            self.report.uploads += 1
            if not self._is_in_window(upload):
                return False
            file = uploaded.as_file(upload, self._cloud)
            return Run(file).job_id not in self._ended and not events.why_ignored(file)

        return self._each(walk(self._cloud.uploads, "", start), is_open, self._upload)

    def _is_in_window(self, stored: Stored) -> bool:
        return self._oldest <= stored.generation <= self._newest

    def _each(
        self, walk: Iterable[Stored], is_open: Callable[[Stored], bool], heal: Callable[[Stored], tuple[str, Outcome]]
    ) -> str:
        """Heal the open ones of a walk, several at a time; returns the name of the first object that is left."""
        left = ""

        def open_ones() -> Iterator[Stored]:
            nonlocal left
            for one in walk:
                if not self._has_time():
                    left = one.name
                    return
                if is_open(one):
                    yield one

        context = contextvars.copy_context()  # a thread of the pool has none of the request's fields
        act = lambda one: (context.copy().run(_heal_one, heal, one), one)  # noqa: E731
        for (name, outcome), one in parallel.each(act, open_ones()):
            age = self._part.began - one.generation // GENERATIONS_PER_SECOND
            self.report.count(name, outcome, is_late=age > DAY_SECONDS)
        return left

    def _claim(self, stored: Stored) -> tuple[str, Outcome]:
        body = self._cloud.results.read(stored.name)
        if body is None:
            raise Unavailable(f"object {stored.name} is listed but cannot be read; retry")
        claim = Claim(json.loads(body))
        return claim.run.file.name, self._heal(claim.run, lambda: healing.claim(claim, self._numbers(stored), *self._where))

    def _upload(self, stored: Stored) -> tuple[str, Outcome]:
        file = uploaded.live(stored, self._cloud)
        return file.name, self._heal(Run(file), lambda: healing.upload(file, self._numbers(stored), *self._where))

    def _heal(self, run: Run, act: Callable[[], Outcome]) -> Outcome:
        log.bind(object=run.file.name, job=run.job_id)
        log.follow(run.job_id, "sweeper", self._part.name)
        # It may have ended since the index was read; and a claim may be of an upload that is older than the window.
        return "ended" if index.has_entry(self._cloud.results, run) else act()

    def _numbers(self, stored: Stored) -> Sequence[int]:
        """The numbers of all sweeps that may have queued it: each has that of its day."""
        return range(day_of(stored.generation), self._today.number + 1)

    @property
    def _where(self) -> tuple[Cloud, healing.IsPaused]:
        return self._cloud, self._is_paused


def _heal_one(heal: Callable[[Stored], tuple[str, Outcome]], stored: Stored) -> tuple[str, Outcome]:
    """Heal one; what is wrong with it must not keep the sweep from the others."""
    try:
        return heal(stored)
    except Transient as error:
        log.warning("not healed; the next sweep comes here again", object=stored.name, error=error.message)
    except Exception as error:
        log.error("not healed: an unforeseen error", error, object=stored.name)
    return stored.name, "unavailable"


def walk(bucket: Bucket, prefix: str, start: str) -> Iterator[Stored]:
    """The live objects from this name on, in pages that begin with the last name of the one before."""
    found = bucket.objects(prefix, start, PAGE_OBJECTS)
    yield from found
    while len(found) == PAGE_OBJECTS:
        last = found[-1].name
        found = bucket.objects(prefix, last, PAGE_OBJECTS)
        yield from (one for one in found if one.name > last)
