"""A backfill whose pages are stopped, resumed, lost, repeated or cut off goes on, and counts each file once."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from shared import backfill_page, ledger
from shared.backfill_page import Page
from shared.cloud.protocols import Queued
from shared.errors import BadConfiguration, BadRequest, NotFound, Unavailable
from shared.model import File, Run, canonical
from shared.operations import backfill as backfills
from shared.operations import backfill_pages
from shared.operations.backfill import Done
from shared.plan import Task
from shared.testing import FakeCloud
from shared.testing_queues import FakeQueue
from shared.webhooks.deliveries import Delivery
from tests.unit.operations.backfilling import counts, deliver_page, drain, give, next_page, run, show, verdicts
from tests.unit.operations.mortal import Killed, Mortal
from tests.unit.plans import Script, plan, step

Put = Callable[..., File]
OUTAGE = backfill_pages.DELIVERIES + 1


@pytest.fixture(autouse=True)
def _planned(cloud: FakeCloud, script: Script) -> None:
    give(cloud, plan(step("a", "q1")))


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


def test_a_ceiling_above_the_room_of_a_queue_ends_it_on_a_later_page(cloud: FakeCloud, uploaded: Put) -> None:
    for number in range(25):
        uploaded(f"{number:02}.jpg", b"meow")
    backfills.begin("", cloud, limit=22)

    states = []
    for _ in range(2):
        deliver_page(cloud)
        drain(cloud)
        states.append((show(cloud).state, counts(cloud)["queued"]))

    assert states == [("waiting", 20), ("limit", 22)]


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


def test_a_backfill_waits_while_the_queue_of_its_pages_is_paused(cloud: FakeCloud, uploaded: Put) -> None:
    uploaded("a.jpg", b"meow")
    backfills.begin("", cloud)
    cloud.queue.pause("sweeper")
    held = show(cloud)
    cloud.queue.resume("sweeper")

    assert (held.state, held.to_json()["waits"], show(cloud).state) == ("waiting", {"sweeper": "paused"}, "running")
    run(cloud)
    cloud.queue.pause("sweeper")
    assert (show(cloud).state, show(cloud).to_json()["waits"]) == ("done", {})


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


def test_a_page_that_has_not_yet_queued_the_next_is_not_lost(cloud: FakeCloud, uploaded: Put) -> None:
    for number in range(25):
        uploaded(f"{number:02}.jpg", b"meow")
    backfills.begin("", cloud)
    cloud.queue.down.add("sweeper")
    with pytest.raises(Unavailable):
        deliver_page(cloud)
    cloud.queue.down.clear()

    assert (show(cloud).backfill.progress.number, show(cloud).state) == (0, "waiting")


class Racing(FakeQueue):
    """A queue whose page is delivered in the moment before it is looked for."""

    deliver: Callable[[], None] | None = None

    def find(self, task: Task | Delivery | Page) -> Queued | None:
        deliver, self.deliver = self.deliver, None
        if deliver:
            deliver()
        return super().find(task)


def test_a_page_that_ends_while_it_is_looked_for_is_not_lost(cloud: FakeCloud, uploaded: Put) -> None:
    for number in range(25):
        uploaded(f"{number:02}.jpg", b"meow")
    cloud.queue = Racing()
    backfills.begin("", cloud)
    cloud.queue.deliver = lambda: deliver_page(cloud)

    assert (show(cloud).state, counts(cloud)["queued"]) == ("waiting", 20)


def test_without_the_sweeper_none_begins(cloud: FakeCloud) -> None:
    cloud.settings = replace(cloud.settings, sweeper_url="")

    with pytest.raises(BadConfiguration, match="SLUICE_SWEEPER_URL"):
        backfills.begin("", cloud)
    assert list(cloud.results.names("backfills/")) == []


def test_what_is_done_is_neither_stopped_nor_resumed(cloud: FakeCloud) -> None:
    identity = backfills.begin("", cloud).backfill.begun.backfill
    run(cloud)

    for act in (backfills.stop, backfills.resume):
        with pytest.raises(Done, match="is done"):
            act(identity, cloud)
    with pytest.raises(NotFound, match="no backfill"):
        backfills.stop("20260101T000000-00000000", cloud)
    cloud.results.broken.add("read")
    with pytest.raises(NotFound, match="no backfill"):  # no object can have this name
        backfills.stop("../begun\n", cloud)


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


def test_a_page_may_leave_a_few_files_behind(cloud: FakeCloud, uploaded: Put) -> None:
    for number in range(backfill_pages.MOST_FAULTS):
        uploaded(f"{number:02}.jpg", b"meow")
    backfills.begin("", cloud)
    cloud.queue.down.add("q1")
    deliver_page(cloud, OUTAGE)

    assert counts(cloud) == {"files": 10, "unavailable": 10}


@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_a_damaged_object_does_not_keep_the_others_from_their_turn(cloud: FakeCloud, uploaded: Put, body: bytes) -> None:
    cloud.results.create(ledger.job_name(Run(uploaded("a.jpg", b"meow"))), "application/json", body)
    uploaded("b.jpg", b"meow")
    backfills.begin("", cloud)
    with pytest.raises(Unavailable):
        deliver_page(cloud, OUTAGE - 1)
    deliver_page(cloud, OUTAGE)

    assert counts(cloud) == {"files": 2, "unavailable": 1, "queued": 1}


def test_objects_of_a_newer_release_are_read(cloud: FakeCloud, uploaded: Put) -> None:
    uploaded("a.jpg", b"meow")
    backfills.begin("", cloud)
    run(cloud)
    done = show(cloud).backfill
    for name in cloud.results.names("backfills/"):
        cloud.results.put(name, canonical(json.loads(cloud.results.read(name) or b"") | {"colour": "red"}))

    assert show(cloud).backfill == done


def test_progress_that_cannot_be_read_is_an_outage(cloud: FakeCloud, uploaded: Put) -> None:
    """Else the backfill would begin again at its first name."""
    uploaded("a.jpg", b"meow")
    identity = backfills.begin("", cloud).backfill.begun.backfill
    run(cloud)
    cloud.results.hidden_once |= set(cloud.results.names("backfills/pages/"))

    with pytest.raises(Unavailable, match="cannot be read; retry"):
        backfills.find(identity, cloud.results)


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
