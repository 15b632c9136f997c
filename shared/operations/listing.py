"""Lists of jobs, newest upload first: ended ones by the index, those in work by claims and queues.

A file is listed once, by its newest run: a claim hides the entries of the runs before. A claim without an entry is in work.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice

from shared import index, media, naming
from shared.cloud.protocols import Bucket, Cloud
from shared.errors import BadRequest
from shared.index import PROCESSING, RERUN, VERDICTS, Entry, State
from shared.routes.definitions import matches

#: Most objects of one list call (Cloud Storage: objects.list, maxResults).
MAX_PAGE = 1000
#: Most tasks that are read of each queue.
MAX_TASKS = 10_000

_TOKEN = re.compile(r"[0-9]{16}-[a-z2-7]{26}-[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class Query:
    """The wanted jobs; an empty field excludes none.

    `since` is the oldest wanted generation, in microseconds since 1970. In `name`, `*` stops at a slash and `**` does not; `prefix`
    is taken as it is, and may leave out the random characters of a door. `content_type` is a media type or a range of them, such as
    `image/*`.
    """

    verdicts: tuple[State, ...] = ()
    since: int = 0
    name: str = ""
    reasons: tuple[str, ...] = ()
    prefix: str = ""
    content_type: str = ""

    def wants(self, job: Entry) -> bool:
        """Whether this job, the newest run of its file, is wanted."""
        has_prefix = job.name.startswith(self.prefix) or naming.own(job.name).startswith(self.prefix)
        is_named = has_prefix and (not self.name or matches(self.name, job.name))
        has_type = not self.content_type or matches(self.content_type, media.essence(job.content_type))
        has_reason = not self.reasons or bool(set(self.reasons) & set(job.reason.split(",")))
        return is_named and has_type and has_reason and (not self.verdicts or job.verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class Page:
    """The jobs of one page; `next` is the token of the next one, empty when this page is not full."""

    jobs: Sequence[Entry]
    next: str


def page(query: Query, cloud: Cloud, limit: int, token: str = "", *, max_tasks: int = MAX_TASKS) -> Page:
    """One page of the wanted jobs. Its successors stay the same while new jobs end.

    Raises `BadRequest` for a token that is none of `Page.next`.
    """
    found = list(islice(jobs(query, cloud, after=token, first=limit, max_tasks=max_tasks), limit))
    return Page(found, found[-1].file_key if len(found) == limit else "")


def jobs(query: Query, cloud: Cloud, *, after: str = "", first: int = MAX_PAGE, max_tasks: int = MAX_TASKS) -> Iterator[Entry]:
    """The wanted jobs after this file key, each by the newest run of its file, newest upload first.

    `first` jobs cost one list call for each wanted verdict and one for the claims, unless many are hidden or unwanted. Where
    `processing` is wanted, every verdict is read, and up to `max_tasks` tasks of each queue.
    """
    if after and not _TOKEN.fullmatch(after):
        raise BadRequest(f"page token {after[:80]!r} is not one of these lists'; send the one of the page before", "bad_token")
    claims, *others = _sources(query, cloud, after, min(first, MAX_PAGE), max_tasks)
    for runs in _by_file(claims, others, after):
        if runs[0].generation < query.since:
            return
        newest = max(runs, key=lambda job: (job.run, job.verdict != PROCESSING))
        if query.wants(newest):
            yield newest


def _by_file(claims: "_Source", others: "Sequence[_Source]", after: str) -> Iterator[list[Entry]]:
    """The jobs of each file, in the order of the sources."""
    while heads := [head.file_key for source in (claims, *others) if (head := source.head(after))]:
        after = min(heads)
        runs = claims.take(after, is_whole=True)
        # Without a claim, a range has no second entry of the file: its next page need not be read for it.
        has_claim = bool(runs)
        for source in others:
            runs += source.take(after, is_whole=has_claim)
        yield runs


def _sources(query: Query, cloud: Cloud, after: str, size: int, max_tasks: int) -> "list[_Source]":
    is_all = not query.verdicts or PROCESSING in query.verdicts
    # Read first: a job's last task leaves its queue only after the job has its entry, so a file that ends meanwhile is not missed.
    queued = [_Source(iter([_queued(cloud, max_tasks)]))] if is_all else []
    verdicts = VERDICTS if is_all else [verdict for verdict in VERDICTS if verdict in query.verdicts]
    found = [_Source(_listed(cloud.results, index.folder(kind), after, size)) for kind in (RERUN, *verdicts)]
    return [*found, *queued]


def _listed(results: Bucket, folder: str, after: str, size: int) -> Iterator[list[Entry]]:
    """The jobs of one range of the index from behind this file key on, in pages: the first has this size."""
    start = f"{folder}{after}." if after else folder  # `.` sorts behind `-`, which begins the number of a later run
    while True:
        found = results.page(folder, start, size)
        yield [index.read_entry(name, metadata) for name, metadata in found.items()]
        if len(found) < size:
            return
        start, size = f"{max(found)}!", MAX_PAGE  # `!` sorts before `-`


def _queued(cloud: Cloud, max_tasks: int) -> list[Entry]:
    """The jobs whose tasks are in the queues, read in the order in which files pass them: none moves on unseen."""
    passed = [step.queue.name for step in cloud.routes.steps.values()]
    queues = [name for name, _ in groupby([*(name for name in cloud.routes.queues if name not in passed), *passed])]
    tasks = (task for queue in queues for task, _ in islice(cloud.queue.tasks(queue), max_tasks))
    return sorted({task.run.job_id: index.in_work(task.run) for task in tasks}.values(), key=lambda job: job.file_key)


@dataclass
class _Source:
    """Jobs in order, a page at a time."""

    pages: Iterator[Iterable[Entry]]
    _found: deque[Entry] = field(default_factory=deque)

    def head(self, after: str) -> Entry | None:
        """The first job behind this file key, or None at the end."""
        while True:
            while self._found and self._found[0].file_key <= after:
                self._found.popleft()
            if self._found:
                return self._found[0]
            following = next(self.pages, None)
            if following is None:
                return None
            self._found.extend(following)

    def take(self, key: str, *, is_whole: bool) -> list[Entry]:
        """The next jobs of this file: all of them, or only those of the page that was read."""
        taken = []
        while self._found and self._found[0].file_key == key:
            taken.append(self._found.popleft())
            if is_whole:
                self.head("")
        return taken
