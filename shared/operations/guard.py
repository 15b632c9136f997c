"""The runaway guard, as operators see it: a day's count, the marks beyond its ceilings, and how they are lifted.

A sweep counts the index entries of the day's uploads, which it reads in any case. What is beyond a ceiling is reported, its queues
are paused, and it gets a mark: from then on the pipeline skips what comes (`shared/guard.py`).
"""

import contextlib
import json
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from shared import guard, index, ledger, log
from shared.cloud.protocols import AlreadyExists, Bucket, Cloud
from shared.errors import NotFound, Transient, Unavailable
from shared.guard import FILES, GENERATIONS_PER_DAY, LIFTED
from shared.index import VERDICTS
from shared.model import Json, canonical
from shared.operations import parallel

#: Counters for objects, which share them by a checksum: 256 KB, however many objects a day has.
COUNTERS = 1 << 16
#: Stands for an object's name where all uploads of a day are skipped.
EVERY = "(every file)"


class Day:
    """The ended runs of one day's uploads, counted by object."""

    def __init__(self, newest: int) -> None:
        self.number = guard.day_of(newest)
        self.files = 0
        self._oldest, self._newest = self.number * GENERATIONS_PER_DAY, newest
        self._counters = array("I", bytes(4 * COUNTERS))

    def add(self, job_id: str) -> None:
        """Count an ended job, if it is of the day."""
        identity, generation, *later = job_id.split("-")
        if int(generation) >= self._oldest:
            self.files += not later
            self._counters[_counter(identity)] += 1

    def beyond(self, most_runs: int, results: Bucket) -> dict[str, int]:
        """The ids of the objects with more runs, and their number. The index is read again where there may be some."""
        suspects = {number for number, runs in enumerate(self._counters) if runs > most_runs}
        if not suspects:
            return {}
        ended = (job_id for verdict in VERDICTS for job_id in index.ended(results, verdict, self._oldest, self._newest))
        runs = Counter(identity for job_id in ended if _counter(identity := job_id.partition("-")[0]) in suspects)
        return {identity: number for identity, number in runs.items() if number > most_runs}


def _counter(identity: str) -> int:
    return zlib.crc32(identity.encode()) % COUNTERS


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark of the guard: more than `ceiling` were counted. `object` is the name of one, or `EVERY`."""

    day: int
    key: str
    object: str
    count: int
    ceiling: int
    is_lifted: bool = False

    @property
    def name(self) -> str:
        """The name of the mark in the results bucket."""
        return f"{guard.folder(self.day)}{self.key}"

    def to_json(self) -> Json:
        date = datetime.fromtimestamp(self.day * GENERATIONS_PER_DAY / 10**6, UTC).date().isoformat()
        return asdict(self) | {"day": date}


def enforce(day: Day, cloud: Cloud) -> list[str]:
    """Skip, from now on, what went beyond a ceiling on this day; returns the objects. Raises `Unavailable`.

    What has a mark keeps it, also a lifted one: queues that an operator resumed stay so. A repeat after a crash does the rest.
    """
    settings, found = cloud.settings, list[Mark]()
    if day.files > settings.guard_files_per_day:
        found.append(Mark(day.number, FILES, EVERY, day.files, settings.guard_files_per_day))
    for identity, runs in day.beyond(settings.guard_runs_per_object, cloud.results).items():
        found.append(Mark(day.number, identity, "", runs, settings.guard_runs_per_object))
    known = set(cloud.results.names(guard.folder(day.number))) if found else set()
    return list(parallel.each(lambda mark: _set(mark, cloud), (mark for mark in found if mark.name not in known)))


def _set(mark: Mark, cloud: Cloud) -> str:
    """Report, pause, then mark: a crash in between has the next sweep repeat it."""
    name, queues = (mark.object, list(cloud.routes.queues)) if mark.object else _described(mark.key, cloud)
    counted: Json = {"object": name, "count": mark.count, "ceiling": mark.ceiling}
    paused = [queue for queue in queues if _pause(queue, cloud)]
    log.error("runaway guard: files are skipped", event="guard", paused=paused, **counted)
    with contextlib.suppress(AlreadyExists):
        cloud.results.create(mark.name, "application/json", canonical(counted))
    return name


def _described(identity: str, cloud: Cloud) -> tuple[str, list[str]]:
    """The name of an object, and the queues of its plan."""
    found = next(ledger.history(cloud.results, identity), None)
    if found is None:  # its manifests were deleted
        return identity, list(cloud.routes.queues)
    file = found.run.file
    return file.name, sorted({place.queue for place in cloud.routes.plan(file).places})


def _pause(queue: str, cloud: Cloud) -> bool:
    try:
        cloud.queue.pause(queue)
    except Transient as error:
        log.warning("the runaway guard could not pause a queue", queue=queue, error=error.message)
        return False
    return True


def marks(cloud: Cloud) -> list[Mark]:
    """Every mark, the newest day first. Raises `Unavailable`."""
    names = set(cloud.results.names(guard.PREFIX))
    found = parallel.each(lambda name: _read(name, names, cloud.results), (one for one in names if not one.endswith(LIFTED)))
    return sorted(found, key=lambda mark: (-mark.day, mark.object))


def _read(name: str, names: Iterable[str], results: Bucket) -> Mark:
    _, day, key = name.split("/")
    body = results.read(name)
    if body is None:
        raise Unavailable(f"object {name} is listed but cannot be read; retry")
    return Mark(int(day), key, **json.loads(body), is_lifted=name + LIFTED in names)


def lift(objects: Sequence[str], cloud: Cloud) -> list[Mark]:
    """Lift the marks of these objects, all marks without a name. Raises `NotFound` before it changes anything.

    What was skipped stays so until it is run again; queues stay paused until they are resumed.
    """
    holding = [mark for mark in marks(cloud) if not mark.is_lifted]
    for name in objects:
        if name not in [mark.object for mark in holding]:
            raise NotFound(f"the runaway guard does not skip {name[:200]!r}; ./sluice guard ls lists what it skips")
    chosen = [mark for mark in holding if mark.object in objects or not objects]
    for mark in chosen:
        with contextlib.suppress(AlreadyExists):
            cloud.results.create(mark.name + LIFTED, "application/json", b"{}")
    return [Mark(**(asdict(mark) | {"is_lifted": True})) for mark in chosen]
