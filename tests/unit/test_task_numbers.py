"""A task is found under the numbers of the sweeps and backfills that may have queued it again."""

import itertools
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from shared import pipeline
from shared.backfill_page import days
from shared.model import File, Run
from shared.operations import backfill
from shared.operations.rerun import rerun
from shared.operations.show import show
from shared.operations.sweep import DAY_SECONDS
from shared.task_numbers import KEPT_DAYS
from shared.testing import FakeCloud
from tests.unit.pipeline.calls import Counted
from tests.unit.plans import Script, plan, step
from tests.unit.working import Fixed, Uploaded, work

STEPS = plan(step("a"))


@pytest.fixture(autouse=True)
def _planned(cloud: FakeCloud, script: Script) -> None:
    cloud.routes = Fixed(STEPS)  # type: ignore[assignment]


def at(bucket: Any, days_ago: float) -> None:
    """The next objects of this bucket are created so long ago."""
    bucket._generations = itertools.count(int((time.time() - days_ago * DAY_SECONDS) * 10**6))


def sent(cloud: FakeCloud, uploaded: Uploaded, days_ago: float) -> File:
    at(cloud.uploads, days_ago)
    return uploaded("cat.jpg", b"meow")


def begun(cloud: FakeCloud, days_ago: float) -> int:
    """The number of a backfill that began so long ago."""
    began = int(time.time() - days_ago * DAY_SECONDS)
    cloud.results.put(f"backfills/begun/{datetime.fromtimestamp(began, UTC):%Y%m%dT%H%M%S}-0123abcd", b"{}")
    return began // DAY_SECONDS


def state(cloud: FakeCloud) -> str:
    return str(show("cat.jpg", cloud)["runs"][0]["steps"][0]["state"])


@pytest.mark.parametrize(("begun_days_ago", "uploaded_days_ago"), [(20, 400), (60, 400), (40, 45), (1, 20)])
def test_a_task_of_a_backfill_that_began_long_ago_is_found(
    cloud: FakeCloud, uploaded: Uploaded, begun_days_ago: int, uploaded_days_ago: int
) -> None:
    """It may go on for weeks under the number of its first day."""
    run = Run(sent(cloud, uploaded, uploaded_days_ago))
    number = begun(cloud, begun_days_ago)
    before = state(cloud)
    pipeline.enlist(run, STEPS, cloud, number)

    assert (before, state(cloud)) == ("waiting", "queued")


def test_of_many_backfills_the_newest_are_looked_for(cloud: FakeCloud, uploaded: Uploaded) -> None:
    sent(cloud, uploaded, 400)
    for days_ago in range(100):
        begun(cloud, days_ago)
    cloud.queue = counted = Counted(cloud.queue)  # type: ignore[assignment]

    assert state(cloud) == "waiting"
    assert counted.calls.count("find") == 1 + KEPT_DAYS


def test_the_day_of_a_backfill_is_in_its_id(cloud: FakeCloud) -> None:
    first = backfill.begin("a", cloud).backfill.begun
    (name,) = cloud.results.names("backfills/begun/")

    assert days([name, "backfills/begun/odd"]) == [first.began // DAY_SECONDS]


@pytest.mark.parametrize(("claimed_days_ago", "swept_days_ago"), [(40, 29), (16, 16), (1, 0)])
def test_a_task_that_a_sweep_queued_weeks_ago_is_found(
    cloud: FakeCloud, uploaded: Uploaded, claimed_days_ago: int, swept_days_ago: int
) -> None:
    """Its queue may be paused since then."""
    file = sent(cloud, uploaded, 400)
    work(STEPS, cloud, file)
    at(cloud.results, claimed_days_ago)
    run = rerun(Run(file), STEPS, "request", cloud, fresh=True).run
    cloud.queue.added.clear()
    before = state(cloud)
    pipeline.enlist(run, STEPS, cloud, int(time.time()) // DAY_SECONDS - swept_days_ago)

    assert (before, state(cloud)) == ("waiting", "queued")
