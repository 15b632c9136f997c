"""Cancelling a file ends each step that has not ended, whatever stands in the ledger so far."""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared import clock, index, manifest, pipeline
from shared.errors import NotFound, Unavailable
from shared.model import File, Run
from shared.operations import backfill, listing, rerun
from shared.operations.cancel import cancel
from shared.operations.listing import Query
from shared.operations.sweep import DAY_SECONDS
from shared.plan import Plan
from shared.testing import FakeCloud
from tests.unit.operations.jobs import Planned, enlist, entries, waiting
from tests.unit.pipeline.calls import bytes_by_id, ledger, told, verdicts
from tests.unit.plans import Script, chain, diamond, join, plan, step


def deliver(number: int, cloud: FakeCloud) -> None:
    """Deliver the task that was queued at this place in the order."""
    pipeline.process(list(cloud.queue.added.values())[number], 1, cloud)


def reasons(cloud: FakeCloud) -> dict[str, str]:
    """The reason of each step that has ended."""
    bodies = [json.loads(cloud.results.read(name) or b"") for name in cloud.results.names("jobs/")]
    return {step["step"]: step["reason"] for body in bodies for step in body.get("steps", ())}


def test_a_waiting_file_is_cancelled_whole(cloud: FakeCloud, cat: File, planned: Planned) -> None:
    enlist(chain(), cloud, cat, planned)
    answer = cancel("cat.jpg", cloud)

    assert answer.to_json()["steps"] == {"a": "cancelled", "b": "skipped"}
    assert reasons(cloud) == {"a": "cancelled", "b": "after_failed"}
    assert (waiting(cloud), told(cloud), entries(cloud)) == ([], {"a": 1, "b": 1, "job": 1}, ["skipped"])


def test_a_task_that_a_sweep_or_a_backfill_queued_leaves_its_queue_too(cloud: FakeCloud, cat: File, planned: Planned) -> None:
    planned(chain())
    begun = backfill.begin("cat", cloud).backfill.begun
    pipeline.enlist(Run(cat), chain(), cloud, begun.began // DAY_SECONDS)
    cancel("cat.jpg", cloud)

    assert (waiting(cloud), entries(cloud)) == ([], ["skipped"])


def test_lists_find_a_cancelled_file_by_its_reason(cloud: FakeCloud, cat: File, planned: Planned) -> None:
    enlist(chain(), cloud, cat, planned)
    cancel("cat.jpg", cloud)

    assert [job.reason for job in listing.jobs(Query(("skipped",), reasons=("cancelled",)), cloud)] == ["cancelled"]


def test_a_file_that_no_event_announced_yet_is_cancelled_under_its_plan(cloud: FakeCloud, cat: File, planned: Planned) -> None:
    planned(join())
    answer = cancel("cat.jpg", cloud)

    assert ledger(cloud)["job.json"]["kind"] == "plan"
    assert answer.steps == {"a": "cancelled", "b": "cancelled", "c": "skipped"}
    assert entries(cloud) == ["skipped"]


def test_the_plan_in_the_ledger_is_cancelled_not_todays(cloud: FakeCloud, cat: File, planned: Planned) -> None:
    enlist(join(), cloud, cat, planned)
    planned(chain())

    assert set(cancel("cat.jpg", cloud).steps) == {"a", "b", "c"}


def test_ended_steps_keep_their_results(cloud: FakeCloud, cat: File, planned: Planned, script: Script) -> None:
    enlist(chain(), cloud, cat, planned)
    deliver(0, cloud)
    answer = cancel("cat.jpg", cloud)

    assert answer.steps == {"a": "ended", "b": "cancelled"}
    assert (verdicts(cloud), entries(cloud)) == ({"a": "succeeded", "b": "skipped"}, ["partial"])


def test_a_join_with_one_branch_ended_is_cancelled(cloud: FakeCloud, cat: File, planned: Planned, script: Script) -> None:
    enlist(diamond(), cloud, cat, planned)
    deliver(0, cloud)
    deliver(1, cloud)
    answer = cancel("cat.jpg", cloud)

    assert answer.steps == {"a": "ended", "b": "ended", "c": "cancelled", "d": "skipped"}
    assert (waiting(cloud), entries(cloud)) == (["0-q1", "1-q2"], ["partial"])  # the fake keeps what was delivered


def test_a_whole_job_is_left_alone(cloud: FakeCloud, cat: File, planned: Planned, script: Script) -> None:
    enlist(plan(step("a")), cloud, cat, planned)
    deliver(0, cloud)
    before = (ledger(cloud), len(cloud.completions.notices))
    answer = cancel("cat.jpg", cloud)

    assert (answer.had_ended, answer.steps) == (True, {"a": "ended"})
    assert (ledger(cloud), len(cloud.completions.notices)) == before


def test_a_repeat_changes_nothing(cloud: FakeCloud, cat: File, planned: Planned) -> None:
    enlist(chain(), cloud, cat, planned)
    first = cancel("cat.jpg", cloud)
    before = ledger(cloud)
    again = cancel("cat.jpg", cloud)

    assert (first.had_ended, again.had_ended) == (False, True)
    assert again.steps["a"] == "cancelled"
    assert ledger(cloud) == before


def test_a_faster_delivery_wins_and_the_answer_says_so(cloud: FakeCloud, cat: File, planned: Planned, script: Script) -> None:
    enlist(chain(), cloud, cat, planned)
    find = cloud.results.find

    def deliver_meanwhile(name: str) -> Any:
        """The last look of `cancel` at the ledger before it writes is that for the index entry."""
        if name.startswith("index/partial") and not verdicts(cloud):
            deliver(0, cloud)
        return find(name)

    cloud.results.find = deliver_meanwhile  # type: ignore[method-assign]
    answer = cancel("cat.jpg", cloud)

    assert answer.steps == {"a": "overtaken", "b": "cancelled"}
    assert (verdicts(cloud), entries(cloud)) == ({"a": "succeeded", "b": "skipped"}, ["partial"])


def test_a_delivery_that_is_slower_finds_the_verdict(cloud: FakeCloud, cat: File, planned: Planned, script: Script) -> None:
    enlist(chain(), cloud, cat, planned)
    cancel("cat.jpg", cloud)
    before = ledger(cloud)
    deliver(0, cloud)

    assert (ledger(cloud), entries(cloud)) == (before, ["skipped"])
    assert all(notice.attributes["verdict"] == "skipped" for notice in bytes_by_id(cloud).values())


def test_the_newest_run_is_cancelled_under_its_claim(cloud: FakeCloud, cat: File, planned: Planned, script: Script) -> None:
    enlist(plan(step("a")), cloud, cat, planned)
    deliver(0, cloud)
    rerun.rerun(Run(cat), chain(), "request", cloud, fresh=True)
    answer = cancel("cat.jpg", cloud)

    assert (answer.run, answer.steps) == (Run(cat, 1), {"a": "cancelled", "b": "skipped"})
    assert entries(cloud) == ["skipped", "succeeded"]
    assert index.has_entry(cloud.results, Run(cat, 1))


def test_a_deleted_upload_is_cancelled_by_its_ledger(cloud: FakeCloud, cat: File, planned: Planned) -> None:
    enlist(join(), cloud, cat, planned)
    cloud.uploads.versions.clear()

    assert cancel("cat.jpg", cloud).run == Run(cat)


def test_a_file_with_nothing_to_do_ends_as_it_would(cloud: FakeCloud, cat: File, planned: Planned) -> None:
    planned(Plan())
    answer = cancel("cat.jpg", cloud)

    assert answer.steps == {}
    assert entries(cloud) == ["skipped"]


def refused(cloud: FakeCloud, cat: File) -> Run:
    """The first run of an empty file, for which there is nothing to do."""
    stored = cloud.uploads.put("cat.jpg", b"", "image/jpeg")
    run = Run(replace(cat, generation=stored.generation, size=0))
    pipeline.enlist(run, join(), cloud)
    return run


def test_a_run_that_was_refused_stays_as_it_is(cloud: FakeCloud, cat: File) -> None:
    first = refused(cloud, cat)
    rerun.rerun(first, join(), "request", cloud)
    before = list(cloud.results.names(""))
    answer = cancel("cat.jpg", cloud)

    assert (answer.run.number, answer.had_ended, answer.steps) == (1, True, {})
    assert list(cloud.results.names("")) == before


def test_a_claimed_run_that_will_be_refused_ends_so(cloud: FakeCloud, cat: File) -> None:
    first = refused(cloud, cat)
    index.claim(cloud.results, manifest.of_claim(Run(first.file, 1), join(), {}, "request", clock.now()))
    cancel("cat.jpg", cloud)

    assert entries(cloud) == ["skipped", "skipped"]
    assert [name.rpartition("/")[2] for name in cloud.results.names("jobs/")] == ["job.json", "job.json"]


@pytest.mark.parametrize(("name", "why"), [("dog.jpg", "never uploaded"), ("folder/", "folder marker"), ("", "never uploaded")])
def test_an_object_without_a_job_is_not_found(cloud: FakeCloud, name: str, why: str) -> None:
    cloud.uploads.put("folder/", b"")

    with pytest.raises(NotFound, match=why):
        cancel(name, cloud)


def test_notices_of_a_delivery_that_was_cut_off_come_before_the_end(
    cloud: FakeCloud, cat: File, planned: Planned, script: Script
) -> None:
    enlist(chain(), cloud, cat, planned)
    cloud.completions.broken = True
    with pytest.raises(Unavailable):
        deliver(0, cloud)
    cloud.completions.broken = False
    cancel("cat.jpg", cloud)

    assert list(told(cloud)) == ["a", "b", "job"]
