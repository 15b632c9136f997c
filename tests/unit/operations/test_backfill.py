"""A backfill: what its pages queue, where they wait, and what they cost."""

import time
from collections.abc import Callable

import pytest

from shared import index, ledger, manifest, pipeline
from shared.backfill_page import Page
from shared.model import File, Run
from shared.operations import backfill as backfills
from shared.operations import backfill_pages
from shared.operations.sweep import DAY_SECONDS
from shared.plan import Plan, Task
from shared.sweep_part import WINDOW_DAYS
from shared.testing import FakeCloud
from tests.unit.operations.backfilling import calls, counts, deliver_page, drain, give, next_page, run, show, verdicts
from tests.unit.pipeline.calls import Counted, told
from tests.unit.plans import Script, join, plan, step
from tests.unit.working import work

Put = Callable[..., File]


@pytest.fixture(autouse=True)
def _planned(cloud: FakeCloud, script: Script) -> None:
    give(cloud, plan(step("a", "q1")))


def test_every_file_without_a_run_gets_run_0(cloud: FakeCloud, uploaded: Put, script: Script) -> None:
    for number in range(60):
        uploaded(f"old/{number:02}.jpg", b"meow")
    uploaded("other.jpg", b"meow")

    backfills.begin("old/", cloud)
    run(cloud)

    assert show(cloud).state == "done"
    assert counts(cloud) == {"files": 60, "queued": 60}
    assert verdicts(cloud) == ["succeeded"] * 60
    assert (len(script.worked), told(cloud)["job"]) == (60, 60)


def test_what_has_ended_is_passed_over_and_a_second_backfill_does_nothing(cloud: FakeCloud, uploaded: Put) -> None:
    for name in ("a.jpg", "b.jpg"):
        uploaded(name, b"meow")
    work(plan(step("a", "q1")), cloud, uploaded("c.jpg", b"meow"))
    drain(cloud)
    cloud.completions.notices.clear()
    begun = backfills.begin("", cloud)
    run(cloud)
    first = backfills.find(begun.backfill.begun.backfill, cloud.results).progress.counts
    backfills.begin("", cloud)
    run(cloud)

    assert first == {"files": 3, "ended": 1, "queued": 2}
    assert sorted(dict(one.backfill.progress.counts).get("ended", 0) for one in backfills.shown(cloud)) == [1, 3]
    assert told(cloud)["job"] == 2


def test_a_file_in_work_is_left_alone_and_a_lost_one_goes_on(cloud: FakeCloud, uploaded: Put, script: Script) -> None:
    """One waits under the name of its upload; of the other, a task was lost after the first had ended."""
    steps = join()
    pipeline.enlist(Run(uploaded("a.jpg", b"meow")), steps, cloud)
    lost = Run(uploaded("b.jpg", b"meow"))
    ledger.commit(cloud.results, ledger.job_name(lost), manifest.of_plan(lost, steps))
    pipeline.process(Task(lost, steps, steps.places[0]), 1, cloud)
    give(cloud, plan(step("another", "q1")))
    backfills.begin("", cloud)
    deliver_page(cloud)

    assert counts(cloud) == {"files": 2, "waiting": 1, "queued": 1}
    while list(cloud.queue.tasks("q1")) + list(cloud.queue.tasks("q2")) + list(cloud.queue.tasks("q3")):
        drain(cloud)
    assert (verdicts(cloud), sorted(script.worked)) == (["succeeded"] * 2, ["a", "a", "b", "b", "c", "c"])


def test_folder_markers_and_newer_uploads_are_passed_over(cloud: FakeCloud, uploaded: Put) -> None:
    uploaded("folder/", b"")
    cloud.uploads._generations = iter([10**18])
    uploaded("new.jpg", b"meow")
    backfills.begin("", cloud)
    run(cloud)

    assert counts(cloud) == {"files": 2, "ignored": 1, "new": 1}
    assert list(cloud.results.names("jobs/")) == []


@pytest.mark.parametrize("days", [2, WINDOW_DAYS])
def test_a_task_that_the_sweep_of_an_earlier_day_queued_is_left_alone(cloud: FakeCloud, uploaded: Put, days: int) -> None:
    uploaded_at = int(time.time()) - days * DAY_SECONDS
    cloud.uploads._generations = iter([uploaded_at * 10**6])
    steps = plan(step("a", "q1"))
    cloud.queue.add(Task(Run(uploaded("a.jpg", b"meow")), steps, steps.places[0], uploaded_at // DAY_SECONDS + 1))
    backfills.begin("", cloud)
    run(cloud)

    assert counts(cloud) == {"files": 1, "waiting": 1}


def test_a_file_with_nothing_to_do_ends_without_a_queue(cloud: FakeCloud, uploaded: Put) -> None:
    give(cloud, Plan())
    uploaded("a.xyz", b"meow")
    backfills.begin("", cloud)
    deliver_page(cloud)

    assert (show(cloud).state, verdicts(cloud), cloud.queue.added) == ("done", ["skipped"], {})


def test_a_queue_takes_a_few_files_and_then_as_many_as_it_works_in_a_minute(cloud: FakeCloud, uploaded: Put) -> None:
    for number in range(100):
        uploaded(f"{number:03}.jpg", b"meow")
    backfills.begin("", cloud)

    depths, waits = [], []
    for ended in (0, 0, 50, 90):
        deliver_page(cloud)
        depths.append(len(cloud.queue.added))
        page = next_page(cloud)
        waits.append(page.wait_seconds if page else -1)
        if ended:
            drain(cloud)
            cloud.queue.last_minute["q1"] = ended

    assert depths == [20, 20, 20, 70]
    assert waits == [20, 40, 80, 20]
    assert (show(cloud).state, dict(show(cloud).backfill.progress.waits)) == ("waiting", {"q1": "full"})
    assert show(cloud).backfill.progress.after == "069.jpg"
    run(cloud)
    assert verdicts(cloud) == ["succeeded"] * 100


def test_live_uploads_fill_the_room_of_the_backfill(cloud: FakeCloud, uploaded: Put) -> None:
    uploaded("old.jpg", b"meow")
    for number in range(backfill_pages.FEW):
        pipeline.enlist(Run(uploaded(f"z{number}.jpg", b"meow")), plan(step("a", "q1")), cloud)
    backfills.begin("old", cloud)
    deliver_page(cloud)

    assert (show(cloud).state, counts(cloud)) == ("waiting", {})


def test_a_paused_queue_has_the_backfill_wait_longer_and_longer(cloud: FakeCloud, uploaded: Put) -> None:
    uploaded("a.jpg", b"meow")
    cloud.queue.pause("q1")
    backfills.begin("", cloud)
    waits = []
    for _ in range(7):
        deliver_page(cloud)
        waits.append((next_page(cloud) or Page("")).wait_seconds)
    waited = dict(show(cloud).backfill.progress.waits)
    cloud.queue.resume("q1")
    run(cloud)

    assert waits == [20, 40, 80, 160, 320, 320, 320]
    assert waited == {"q1": "paused"}
    assert (show(cloud).state, counts(cloud)) == ("done", {"files": 1, "queued": 1})


def test_a_full_queue_of_a_later_stage_of_the_plan_that_stands_counts_too(cloud: FakeCloud, uploaded: Put) -> None:
    run = Run(uploaded("a.jpg", b"meow"))
    ledger.commit(cloud.results, ledger.job_name(run), manifest.of_plan(run, join()))
    cloud.queue.pause("q3")
    backfills.begin("", cloud)
    deliver_page(cloud)

    assert dict(show(cloud).backfill.progress.waits) == {"q3": "paused"}
    assert cloud.queue.added == {}


def test_five_thousand_files_cost_the_calls_that_are_stated(cloud: FakeCloud, uploaded: Put) -> None:
    """6 lists of uploads, and two calls for each file that has ended; no queue is asked about it."""
    for number in range(5000):
        run = Run(uploaded(f"{number:04}.jpg", b"meow"))
        done = manifest.of_no_task(run, "succeeded", "", "", "2023-11-14T22:13:21.000Z")
        ledger.commit(cloud.results, ledger.job_name(run), done)
        index.write(cloud.results, manifest.Job([done]))
    backfills.begin("", cloud)
    cloud.uploads, cloud.results = Counted(cloud.uploads), Counted(cloud.results)  # type: ignore[assignment]
    queue, cloud.queue = cloud.queue, Counted(cloud.queue)  # type: ignore[assignment]
    while page := next_page(cloud):
        backfill_pages.work(page, 1, cloud)
        queue.deleted.add(f"{page.queue}/{page.name}")

    uploads, results = calls(cloud.uploads), calls(cloud.results)
    pages = len(queue.pages)
    assert (counts(cloud), pages) == ({"files": 5000, "ended": 5000}, 6)
    assert uploads == {"objects": 6}
    assert results.pop("find") == 5000
    assert results.pop("read") - 5000 <= 2 * pages + 3
    assert results.pop("create") == 6
    assert set(calls(cloud.queue)) == {"add"}


def test_a_new_file_costs_fewcalls(cloud: FakeCloud, uploaded: Put) -> None:
    for number in range(20):
        uploaded(f"{number:02}.jpg", b"meow")
    backfills.begin("", cloud)
    page = next_page(cloud)
    assert page
    cloud.results, cloud.queue = Counted(cloud.results), Counted(cloud.queue)  # type: ignore[assignment]
    backfill_pages.work(page, 1, cloud)

    assert calls(cloud.results) == {"read": 1 + 3 * 20, "page": 2, "create": 1}
    assert calls(cloud.queue) == {"state": 1, "find": 2 * 20, "add": 20}


def test_each_queue_of_a_plan_keeps_its_own_room(cloud: FakeCloud, uploaded: Put) -> None:
    """The first queue has ended more in the last minute than the second."""
    give(cloud, plan(step("a", "q1"), step("b", "q2")))
    cloud.queue.last_minute["q1"] = 50
    for number in range(40):
        uploaded(f"{number:02}.jpg", b"meow")
    backfills.begin("", cloud)
    deliver_page(cloud)

    assert counts(cloud) == {"files": backfill_pages.FEW, "queued": backfill_pages.FEW}
    assert dict(show(cloud).backfill.progress.waits) == {"q2": "full"}
