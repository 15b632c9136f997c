"""The numbers in the names of tasks that sweeps and backfills queue: the day, in UTC, counted from 1970."""

import time
from collections.abc import Iterator

from shared import backfill_page, guard, index
from shared.cloud.protocols import Cloud
from shared.model import Run
from shared.sweep_part import WINDOW_DAYS

#: Cloud Tasks deletes a task so many days after it was queued (quotas, "maximum task retention").
KEPT_DAYS = 31


def of(run: Run, cloud: Cloud) -> Iterator[int]:
    """The numbers under which a task of this run may be in its queue, the likeliest first. Raises `Unavailable`.

    0 is that of a task that was never queued again. Sweeps take a run for some days from its beginning on. A backfill takes a first
    run however old its upload is, and may go on for weeks under the number of its first day: the newest ones count.
    """
    yield 0
    today = guard.day_of(time.time_ns() // 1000)
    first = guard.day_of(begun(run, cloud))
    last = min(today, first + WINDOW_DAYS)
    swept = range(last, max(first, today - KEPT_DAYS) - 1, -1)
    yield from swept
    if not run.number and last < today:
        days = backfill_page.days(cloud.results.names(backfill_page.BEGUN))
        yield from [day for day in days if day >= first and day not in swept][:KEPT_DAYS]


def begun(run: Run, cloud: Cloud) -> int:
    """The beginning of this run as sweeps see it: the generation of its upload; of a later run, that of its claim."""
    claim = cloud.results.find(index.claim_name(run)) if run.number else None
    return claim.generation if claim else run.file.generation
