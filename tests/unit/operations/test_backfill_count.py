"""The count of a backfill: what it takes for old, and the tasks that it foresees."""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from shared.model import File
from shared.operations import backfill as backfills
from shared.operations import backfill_count
from shared.operations.backfill_count import Count
from shared.plan import Plan
from shared.routes import parse
from shared.testing import FakeCloud
from tests.unit.operations.backfilling import counts, give, run
from tests.unit.pipelines import ONLY_PICTURES, QUEUE
from tests.unit.plans import Script, plan, step
from tests.unit.working import work

Put = Callable[..., File]
STEPS = plan(step("a", "q1"), step("b", "q1"), step("c", "q2"))


@pytest.fixture(autouse=True)
def _planned(cloud: FakeCloud, script: Script) -> None:
    give(cloud, STEPS)


def counted(cloud: FakeCloud) -> Count:
    found = Count()
    for one in backfill_count.look("", cloud):
        found.add(one)
    return found


def test_steps_that_share_a_queue_are_one_task(cloud: FakeCloud, uploaded: Put) -> None:
    for number in range(3):
        uploaded(f"{number}.jpg", b"meow")

    assert counted(cloud).tasks == {"q1": 3, "q2": 3}


def test_a_file_of_the_last_hour_is_new_to_the_second(cloud: FakeCloud, uploaded: Put) -> None:
    now = int(time.time()) - cloud.settings.sweep_after_seconds
    cloud.uploads._generations = iter([(now - 1) * 10**6, (now + 30) * 10**6])
    uploaded("a-old.jpg", b"meow")
    uploaded("b-new.jpg", b"meow")

    assert counted(cloud).states == {"open": 1, "new": 1}
    backfills.begin("", cloud)
    run(cloud)
    assert counts(cloud) == {"files": 2, "queued": 1, "new": 1}


@pytest.mark.parametrize("generations", [[300, 100, 200], [100]])
def test_entries_of_the_oldest_and_of_the_newest_upload_count(cloud: FakeCloud, uploaded: Put, generations: list[int]) -> None:
    """Names need not follow the time."""
    cloud.uploads._generations = iter(generations)
    for number in range(len(generations)):
        work(STEPS, cloud, uploaded(f"{number}.jpg", b"meow"))

    assert counted(cloud).states == {"ended": len(generations)}


def test_the_slowest_queue_at_its_rate_decides_how_long_it_takes(cloud: FakeCloud) -> None:
    cloud.routes = parse(ONLY_PICTURES + QUEUE.replace("images", "fast"))

    assert Count(tasks=Counter(images=20, fast=100)).seconds(cloud) == 20 / 5


def test_the_bytes_decide_where_a_route_goes_by_them(cloud: FakeCloud, uploaded: Put, photo: bytes) -> None:
    class ByBytes:
        def plan(self, file: File) -> Plan:
            return STEPS if file.content_type == "image/jpeg" else Plan()

        def go_by_bytes(self, *_: object) -> bool:
            return True

        def why_not(self, *_: object) -> str:
            return "no route takes this file"

    cloud.routes = ByBytes()  # type: ignore[assignment]
    uploaded("a", photo, "application/octet-stream")

    assert [group.steps for group in counted(cloud).groups.values()] == [("a", "b", "c")]


def test_backfills_are_listed_newest_first(cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers: Iterator[int] = count()
    monkeypatch.setattr(secrets, "token_hex", lambda _: f"{next(numbers):08x}")
    begun = [backfills.begin("", cloud).backfill.begun.backfill for _ in range(3)]

    assert [one.backfill.begun.backfill for one in backfills.shown(cloud)] == sorted(begun, reverse=True)


def test_an_answer_has_every_count(cloud: FakeCloud) -> None:
    answer = backfills.begin("", cloud).to_json()

    assert [answer[name] for name in ("pages", *backfills.COUNTS)] == [0] * (1 + len(backfills.COUNTS))
