"""A backfill: what its pages queue, where they wait, and that each may be repeated, lost, stopped and resumed."""

import re
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from shared import backfill_page, index, ledger, manifest, pipeline
from shared.backfill_page import Page
from shared.errors import BadRequest, Conflict, NotFound, Unavailable
from shared.model import File, Run
from shared.operations import backfill as backfills
from shared.operations import backfill_pages
from shared.operations.backfill import Shown
from shared.plan import Plan, Task
from shared.testing import FakeCloud
from tests.unit.operations.conftest import Fixed
from tests.unit.operations.mortal import Killed, Mortal
from tests.unit.pipeline.calls import Counted, told
from tests.unit.plans import Script, join, plan, step
from tests.unit.working import work

Put = Callable[..., File]
OUTAGE = backfill_pages.DELIVERIES + 1


@pytest.fixture(autouse=True)
def _planned(cloud: FakeCloud, script: Script) -> None:
    give(cloud, plan(step("a", "q1")))


def give(cloud: FakeCloud, steps: Plan) -> None:
    """Give every file this plan from now on."""
    cloud.routes = Fixed(steps)  # type: ignore[assignment]


def next_page(cloud: FakeCloud) -> Page | None:
    """The page that waits in the queue of the sweeper."""
    waiting = [page for name, page in cloud.queue.pages.items() if name not in cloud.queue.deleted]
    assert len(waiting) <= 1
    return waiting[0] if waiting else None


def deliver_page(cloud: FakeCloud, number: int = 1) -> None:
    """Deliver the page that waits, for the time of this number, and take it off its queue."""
    page = next_page(cloud)
    assert page
    backfill_pages.work(backfill_page.read(page.to_json()), number, cloud)
    cloud.queue.deleted.add(f"{page.queue}/{page.name}")


def drain(cloud: FakeCloud) -> None:
    """Work the tasks that wait, as if within the last minute."""
    for queue in ("q1", "q2", "q3"):
        tasks = list(cloud.queue.tasks(queue))
        for task, _ in tasks:
            pipeline.process(task, 1, cloud)
            cloud.queue.delete(task)
        cloud.queue.last_minute[queue] = len(tasks)


def run(cloud: FakeCloud, *, most: int = 100) -> None:
    """Deliver pages until none waits; the queues are worked between them."""
    for _ in range(most):
        if next_page(cloud) is None:
            return
        deliver_page(cloud)
        drain(cloud)
    pytest.fail("the backfill does not end")


def show(cloud: FakeCloud) -> Shown:
    (shown,) = backfills.shown(cloud)
    return shown


def counts(cloud: FakeCloud) -> dict[str, int]:
    return dict(show(cloud).backfill.progress.counts)


def verdicts(cloud: FakeCloud) -> list[str]:
    return [name.split("/")[1] for name in cloud.results.names("index/")]


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


def test_a_full_queue_of_a_later_stage_counts_too(cloud: FakeCloud, uploaded: Put) -> None:
    give(cloud, join())
    uploaded("a.jpg", b"meow")
    cloud.queue.pause("q3")
    backfills.begin("", cloud)
    deliver_page(cloud)

    assert dict(show(cloud).backfill.progress.waits) == {"q3": "paused"}
    assert cloud.queue.added == {}


def test_the_ceiling_ends_it_and_a_resume_adds_as_many(cloud: FakeCloud, uploaded: Put) -> None:
    for number in range(5):
        uploaded(f"{number}.jpg", b"meow")
    identity = backfills.begin("", cloud, limit=2).backfill.begun.backfill

    states = []
    for _ in range(3):
        run(cloud)
        states.append((show(cloud).state, counts(cloud)["queued"]))
        if states[-1][0] != "done":
            backfills.resume(identity, cloud)

    assert states == [("limit", 2), ("limit", 4), ("done", 5)]


def test_a_stop_ends_it_before_its_next_page_and_a_resume_goes_on_there(cloud: FakeCloud, uploaded: Put) -> None:
    for number in range(25):
        uploaded(f"{number:02}.jpg", b"meow")
    identity = backfills.begin("", cloud).backfill.begun.backfill
    deliver_page(cloud)
    drain(cloud)

    assert backfills.stop(identity, cloud).state == "stopped"
    assert backfills.stop(identity, cloud).backfill.marks == ("stop",)
    run(cloud)
    assert (show(cloud).state, counts(cloud)["queued"], next_page(cloud)) == ("stopped", 20, None)

    assert backfills.resume(identity, cloud).state == "running"
    assert (next_page(cloud) or Page("")).wait_seconds == 0
    run(cloud)
    assert (show(cloud).state, counts(cloud)["queued"]) == ("done", 25)


def test_a_resume_takes_a_lost_backfill_up_and_the_old_page_does_nothing(cloud: FakeCloud, uploaded: Put) -> None:
    for number in range(25):
        uploaded(f"{number:02}.jpg", b"meow")
    identity = backfills.begin("", cloud).backfill.begun.backfill
    deliver_page(cloud)
    drain(cloud)
    old = next_page(cloud)
    assert old
    cloud.queue.deleted.add(f"{old.queue}/{old.name}")

    assert show(cloud).state == "lost"
    backfills.resume(identity, cloud)
    assert backfill_pages.work(old, 1, cloud) == {"state": "stopped"}
    run(cloud)
    assert (show(cloud).state, counts(cloud)) == ("done", {"files": 25, "queued": 25})


def test_what_is_done_is_neither_stopped_nor_resumed(cloud: FakeCloud) -> None:
    identity = backfills.begin("", cloud).backfill.begun.backfill
    run(cloud)

    for act in (backfills.stop, backfills.resume):
        with pytest.raises(Conflict, match="is done"):
            act(identity, cloud)
    for unknown in ("../begun", "20260101T000000-00000000"):
        with pytest.raises(NotFound, match="no backfill"):
            backfills.stop(unknown, cloud)


def test_two_operators_stop_it_at_once(cloud: FakeCloud) -> None:
    identity = backfills.begin("", cloud).backfill.begun.backfill
    found = backfills.find(identity, cloud.results)
    backfills.stop(identity, cloud)

    assert backfills._mark(found, "resume", cloud.results).marks == ("stop", "resume")


def test_a_page_that_is_delivered_twice_counts_once(cloud: FakeCloud, uploaded: Put) -> None:
    for number in range(25):
        uploaded(f"{number:02}.jpg", b"meow")
    backfills.begin("", cloud)
    page = next_page(cloud)
    assert page
    first = backfill_pages.work(page, 1, cloud)
    drain(cloud)

    assert backfill_pages.work(page, 2, cloud) == first
    cloud.queue.deleted.add(f"{page.queue}/{page.name}")
    run(cloud)
    assert counts(cloud) == {"files": 25, "queued": 25}
    assert [name.rpartition("/")[2] for name in cloud.results.names("backfills/pages/")] == ["99999998", "99999999"]


def test_of_two_deliveries_at_once_the_first_to_note_its_page_counts(cloud: FakeCloud, uploaded: Put) -> None:
    uploaded("a.jpg", b"meow")
    found = backfills.begin("", cloud).backfill
    slow = backfill_pages._Page(found, 1, cloud).work()
    deliver_page(cloud)
    identity = found.begun.backfill

    assert backfills.commit(identity, slow, cloud.results) == backfills.find(identity, cloud.results).progress


def test_an_outage_has_the_page_repeated(cloud: FakeCloud, uploaded: Put) -> None:
    for number in range(backfill_pages.MOST_FAULTS + 1):
        uploaded(f"{number:02}.jpg", b"meow")
    backfills.begin("", cloud)
    cloud.queue.down.add("q1")
    for delivery in (1, OUTAGE):
        with pytest.raises(Unavailable):
            deliver_page(cloud, delivery)
    cloud.queue.down.clear()
    run(cloud)

    assert counts(cloud) == {"files": 11, "queued": 11}


@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_a_damaged_object_does_not_keep_the_others_from_their_turn(cloud: FakeCloud, uploaded: Put, body: bytes) -> None:
    cloud.results.create(ledger.job_name(Run(uploaded("a.jpg", b"meow"))), "application/json", body)
    uploaded("b.jpg", b"meow")
    backfills.begin("", cloud)
    with pytest.raises(Unavailable):
        deliver_page(cloud, OUTAGE - 1)
    deliver_page(cloud, OUTAGE)

    assert counts(cloud) == {"files": 2, "unavailable": 1, "queued": 1}


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

    uploads, results = _calls(cloud.uploads), _calls(cloud.results)
    pages = len(queue.pages)
    assert (counts(cloud), pages) == ({"files": 5000, "ended": 5000}, 6)
    assert uploads == {"objects": 6}
    assert results.pop("find") == 5000
    assert results.pop("read") - 5000 <= 2 * pages + 3
    assert results.pop("create") == 6
    assert set(_calls(cloud.queue)) == {"add"}


def _calls(counted: Any) -> dict[str, int]:
    return {name: counted.calls.count(name) for name in set(counted.calls)}


def test_a_new_file_costs_few_calls(cloud: FakeCloud, uploaded: Put) -> None:
    for number in range(20):
        uploaded(f"{number:02}.jpg", b"meow")
    backfills.begin("", cloud)
    page = next_page(cloud)
    assert page
    cloud.results, cloud.queue = Counted(cloud.results), Counted(cloud.queue)  # type: ignore[assignment]
    backfill_pages.work(page, 1, cloud)

    assert _calls(cloud.results)["read"] == 1 + 3 * 20
    assert _calls(cloud.queue) == {"state": 1, "find": 2 * 20, "add": 20}


@pytest.mark.parametrize(
    "changed", [{"backfill": "x/../y"}, {"backfill": None}, {"mark": -1}, {"number": "soon"}, {"number": None}, {"mark": 1e999}]
)
def test_a_page_that_cannot_be_read_is_refused(changed: dict[str, Any]) -> None:
    page = Page("20260101T000000-00000000", 1, 2)
    assert backfill_page.read(page.to_json()) == page
    with pytest.raises(BadRequest):
        backfill_page.read(page.to_json() | changed)


def test_the_name_of_a_page_is_one_that_cloud_tasks_takes(cloud: FakeCloud) -> None:
    page = backfills.begin("", cloud).backfill.next

    assert re.fullmatch(r"[A-Za-z0-9_-]{1,500}", page.name)
    assert (page.queue, page.number, page.mark) == ("sweeper", 0, 0)


def test_killed_before_any_call_the_page_is_repeated_and_each_file_is_queued_once(
    cloud: FakeCloud, uploaded: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill_pages, "FEW", 3)
    for number in range(4):
        uploaded(f"{number}.jpg", b"meow")
    results, queue, survived, last = cloud.results, cloud.queue, False, 0
    while not survived:
        results.versions.clear()
        queue.added.clear()
        queue.pages.clear()
        page = backfills.begin("", cloud).backfill.next
        calls = count()
        cloud.results, cloud.queue = Mortal(results, calls, last), Mortal(queue, calls, last)  # type: ignore[assignment]
        try:
            backfill_pages.work(page, 1, cloud)
            survived = True
        except Killed:
            pass
        cloud.results, cloud.queue = results, queue
        backfill_pages.work(page, 2, cloud)

        queue.deleted = {f"{page.queue}/{page.name}"}
        drain(cloud)
        run(cloud)

        assert len(queue.added) == 4, f"killed before call {last}"
        assert verdicts(cloud) == ["succeeded"] * 4, f"killed before call {last}"
        last += 1
    assert last > 20
