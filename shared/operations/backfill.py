"""Backfills, which give the files from before their run 0: begun, shown, stopped and resumed.

`backfill_pages` does the work. A backfill is create-only objects in the results bucket, and a page in the sweeper's queue:

    backfills/begun/<id>            its prefix, ceiling and time
    backfills/pages/<id>/<digits>   how far it is after a page; the digits are 10^8 − 1 − its number, so that the newest comes first
    backfills/marks/<id>/<number>   a stop or a resume; the last one counts
"""

import contextlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from shared.backfill_page import BEGUN, FOLDER, ID, Page
from shared.cloud.protocols import AlreadyExists, Bucket, Cloud
from shared.errors import Conflict, NotFound, Unavailable
from shared.model import Json, canonical
from shared.operations import parallel
from shared.sweep_part import QUEUE

T = TypeVar("T")
Kind = Literal["stop", "resume"]
#: `waiting`: the queues of its next file are full or paused, or the sweeper's is paused. `limit`: as many files as wanted were
#: queued. `lost`: its next page is in no queue.
State = Literal["running", "waiting", "stopped", "limit", "done", "lost"]
#: The objects that were looked at, and their outcomes: those of `healing`, and of what needs none.
COUNTS = ("files", "ended", "queued", "waiting", "recent", "paused", "new", "ignored", "unavailable")
MAX_PAGES = 10**8
MAX_MARKS = 1000


class Done(Conflict):
    """The backfill is done: it can neither be stopped nor resumed."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A backfill as it was begun: the live objects with this prefix, uploaded before this time (seconds since 1970).

    It queues up to `limit` files, 0 for any number; a resume adds as many.
    """

    backfill: str
    prefix: str
    limit: int
    began: int

    def to_json(self) -> Json:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a backfill after a page. `after` is the last name that is dealt with.

    `counts` are from its beginning on. `left` files may be queued under its ceiling. `waits` has the queues without room for its
    next file, which are `full` or `paused`; the next page comes after `wait_seconds`.
    """

    number: int = -1
    mark: int = 0
    after: str = ""
    is_done: bool = False
    left: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    waits: Mapping[str, str] = field(default_factory=dict)
    wait_seconds: int = 0
    time: str = ""

    def to_json(self) -> Json:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Backfill:
    """A backfill: how it was begun, how far it is, and the stops and resumes so far."""

    begun: Begun
    progress: Progress
    marks: tuple[Kind, ...]

    @property
    def is_stopped(self) -> bool:
        return self.marks[-1:] == ("stop",)

    @property
    def is_at_limit(self) -> bool:
        """Whether its ceiling is reached. A resume raises it."""
        return bool(self.begun.limit) and self.progress.left == 0 and self.progress.mark == len(self.marks)

    @property
    def goes_on(self) -> bool:
        """Whether a page is to follow."""
        return not (self.progress.is_done or self.is_stopped or self.is_at_limit)

    @property
    def next(self) -> Page:
        """The page after this progress."""
        return Page(self.begun.backfill, len(self.marks), self.progress.number + 1, self.progress.wait_seconds)


@dataclass(frozen=True, slots=True)
class Shown:
    """A backfill and its state."""

    backfill: Backfill
    state: State

    def to_json(self) -> Json:
        begun, progress = self.backfill.begun, self.backfill.progress
        counts = dict.fromkeys(COUNTS, 0) | dict(progress.counts)
        time = datetime.fromtimestamp(begun.began, UTC).isoformat().replace("+00:00", "Z")
        place = {"after": progress.after, "waits": dict(progress.waits), "updated": progress.time}
        return {"state": self.state, **begun.to_json(), "began": time, "pages": progress.number + 1, **counts, **place}


def begin(prefix: str, cloud: Cloud, limit: int = 0) -> Shown:
    """Begin a backfill of the objects with this prefix, and queue its first page. Raises `Unavailable`."""
    cloud.settings.require("sweeper_url", "tasks_account")
    now = datetime.now(UTC)
    identity = f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    begun = Begun(identity, prefix, limit, int(now.timestamp()))
    cloud.results.create(f"{BEGUN}{identity}", "application/json", canonical(begun.to_json()))
    made = Backfill(begun, Progress(left=limit), ())
    cloud.queue.add(made.next)
    return Shown(made, "running")


def find(identity: str, results: Bucket) -> Backfill:
    """The backfill of this id. Raises `NotFound` and `Unavailable`."""
    body = results.read(f"{BEGUN}{identity}") if ID.fullmatch(identity) else None
    if body is None:
        raise NotFound(f"no backfill {identity!r} found; ./sluice backfill ls lists them")
    begun = _fields(Begun, json.loads(body))
    marks = _page(f"{FOLDER}/marks/{identity}/", MAX_MARKS, results)
    kinds: tuple[Any, ...] = tuple(metadata["kind"] for metadata in marks.values())
    return Backfill(begun, newest(begun, results), kinds)


def newest(begun: Begun, results: Bucket) -> Progress:
    """How far it is: one list call."""
    name = next(iter(_page(f"{FOLDER}/pages/{begun.backfill}/", 1, results)), "")
    if not name:
        return Progress(left=begun.limit)
    return _read(name, results)


def commit(identity: str, progress: Progress, results: Bucket) -> Progress:
    """Note how far it is, or find what another delivery of the same page noted first; returns the one that stands."""
    name = f"{FOLDER}/pages/{identity}/{MAX_PAGES - 1 - progress.number:08d}"
    try:
        results.create(name, "application/json", canonical(progress.to_json()))
        return progress
    except AlreadyExists:
        return _read(name, results)


def _page(folder: str, limit: int, results: Bucket) -> Mapping[str, Mapping[str, str]]:
    return results.page(folder, folder, limit)


def _fields(kind: Callable[..., T], body: Json) -> T:
    """The value without the fields that a newer release added."""
    return kind(**{name: body[name] for name in body if name in kind.__slots__})  # type: ignore[attr-defined]


def _read(name: str, results: Bucket) -> Progress:
    body = results.read(name)
    if body is None:
        raise Unavailable(f"object {name} is listed but cannot be read; retry")
    return _fields(Progress, json.loads(body))


def shown(cloud: Cloud) -> Iterator[Shown]:
    """All backfills, newest first. Raises `Unavailable`."""
    names = reversed(list(cloud.results.names(BEGUN)))
    return parallel.each(lambda name: _show(find(name.rpartition("/")[2], cloud.results), cloud), names)


def stop(identity: str, cloud: Cloud) -> Shown:
    """Stop a backfill: the page under way ends, the next does nothing. What is queued is worked all the same.

    Raises `NotFound`, `Done` and `Unavailable`.
    """
    found = find(identity, cloud.results)
    return _show(found if found.is_stopped else _mark(found, "stop", cloud.results), cloud)


def resume(identity: str, cloud: Cloud) -> Shown:
    """Go on with a backfill that was stopped, has reached its limit or lost its page.

    Of one under way, a new page takes over. Raises as `stop`.
    """
    marked = _mark(find(identity, cloud.results), "resume", cloud.results)
    cloud.queue.add(replace(marked.next, wait_seconds=0))
    return Shown(marked, "running")


def _mark(found: Backfill, kind: Kind, results: Bucket) -> Backfill:
    if found.progress.is_done:
        raise Done(f"backfill {found.begun.backfill} is done; begin another one: what has ended is passed over")
    name = f"{FOLDER}/marks/{found.begun.backfill}/{len(found.marks):04d}"
    with contextlib.suppress(AlreadyExists):  # another operator was first
        results.create(name, "text/plain", b"", {"kind": kind})
        return replace(found, marks=(*found.marks, kind))
    return _mark(find(found.begun.backfill, results), kind, results)


def _show(found: Backfill, cloud: Cloud) -> Shown:
    if not found.goes_on:
        return Shown(found, "done" if found.progress.is_done else "stopped" if found.is_stopped else "limit")
    before = replace(found.next, number=found.progress.number)  # it may be about to queue the next
    if cloud.queue.find(found.next) or cloud.queue.find(before):
        return _under_way(found, cloud)
    now = replace(found, progress=newest(found.begun, cloud.results))
    return _show(now, cloud) if now != found else Shown(found, "lost")


def _under_way(found: Backfill, cloud: Cloud) -> Shown:
    """A backfill whose next page is in the sweeper's queue, and does not come while that is paused."""
    progress = found.progress
    if cloud.queue.state(QUEUE).is_paused:
        progress = replace(progress, waits={**progress.waits, QUEUE: "paused"})
    return Shown(replace(found, progress=progress), "waiting" if progress.waits else "running")
