"""The price of plans, and the cost of work by manifests."""

import pytest

from shared import manifest
from shared.model import Output, Place, Result, Run, Verdict
from shared.operations import cost, prices
from shared.operations.listing import Query
from shared.operations.prices import Use
from shared.pipeline import dispatch
from shared.plan import Task
from shared.testing import FakeCloud
from tests.unit.pipeline.calls import Uploaded, deliver_all, message
from tests.unit.plans import CAT, plan, step

TIMES = {"begun": "b", "fetched": "f", "worked": "w", "stored": "s"}
OUTPUT = Output("1.txt", "files/…", "text/plain", 10, "AAAAAA==")


def result(name: str, *, verdict: Verdict = "succeeded", attempt: int = 1, adopted: str = "") -> Result:
    spent = {"cpu_seconds": 1.5, "bytes_in": 1000, "bytes_out": 10}
    ended = {"attempt": attempt, "outputs": (OUTPUT,), "times": TIMES, "cost": spent, "adopted": adopted}
    return Result(name, f"{name}-00000000", verdict, **ended)  # type: ignore[arg-type]


def test_a_plan_of_one_task_has_the_calls_of_the_common_picture() -> None:
    use = prices.of_plan(plan(step("a"), step("b")))

    # Writes: manifest, index entry. Reads: the file. Tasks: created, delivered.
    assert (use.writes, use.reads, use.tasks, use.calls) == (2, 1, 2, 5)


def test_a_task_that_comes_after_others_reads_their_manifests() -> None:
    before = plan(step("a", "q1"), step("b", "q2"))
    after = plan(step("a", "q1"), step("b", "q2"), step("c", "q3", after=("a", "b")))

    added = prices.of_plan(after), prices.of_plan(before)
    assert [one.reads - other.reads for one, other in [added]] == [1 + 2]


def test_dollars_are_list_prices() -> None:
    assert Use(writes=1_000_000).dollars == pytest.approx(5)
    assert Use(reads=1_000_000).dollars == pytest.approx(0.4)
    assert Use(tasks=1_000_000).dollars == pytest.approx(0.4)
    assert Use(notice_bytes=2**40).dollars == pytest.approx(40)
    assert Use(cpu_seconds=1_000_000).dollars == pytest.approx(24)
    assert (Use(1, 2, 3, 4, 5) + Use(1, 1, 1, 1, 1)) == Use(2, 3, 4, 5, 6)


def costs(*results: Result) -> dict[str, cost.Cost]:
    task = Task(Run(CAT), plan(*(step(one.step) for one in results)), Place(0, "q1"))
    return {one.step: one for one in cost.cost([manifest.of_task(task, results, "2026-01-01T00:00:00Z")])}


def test_each_step_has_its_own_cost_and_tasks_and_jobs_theirs() -> None:
    found = costs(result("a"), result("b"))

    assert (found["a"].count, found["a"].bytes_in, found["a"].bytes_out) == (1, 1000, 10)
    assert found["a"].use == Use(writes=1, cpu_seconds=1.5)
    assert found[cost.TASKS].use == prices.of_task(steps=2, before=0)
    assert found[cost.JOBS].use == prices.OF_JOB
    assert cost.total(found.values()).cpu_seconds == 3


def test_each_further_attempt_is_a_delivery() -> None:
    assert costs(result("a", attempt=4))[cost.TASKS].use.tasks == 1 + 4


def test_an_adopted_step_costs_the_read_of_its_manifest() -> None:
    found = costs(result("a", adopted="cat-7"))

    assert "a" not in found
    assert (found[cost.TASKS].use.reads, found[cost.TASKS].use.tasks) == (1, 2)


def test_a_task_that_ended_without_work_costs_its_manifest_and_notices() -> None:
    found = costs(Result("a", "a-00000000", "skipped", "after_failed"))

    assert list(found) == [cost.TASKS, cost.JOBS]
    assert found[cost.TASKS].use == Use(writes=1, notice_bytes=prices.notices(1))


def test_all_runs_of_a_file_count() -> None:
    manifests = [
        manifest.of_task(Task(Run(CAT, number), plan(step("a")), Place(0, "q1")), [result("a")], "2026-01-01T00:00:00Z")
        for number in (0, 1)
    ]

    assert {one.step: one.count for one in cost.cost(manifests)} == {"a": 2, cost.TASKS: 2, cost.JOBS: 2}


def test_the_manifests_of_the_wanted_files_are_read(cloud: FakeCloud, uploaded: Uploaded, photo: bytes) -> None:
    for name in ("a.jpg", "b.jpg"):
        dispatch(message(uploaded(name, photo)), cloud)
    deliver_all(cloud)

    found = [(one.run.file.name, str(one.place)) for one in cost.manifests(Query(name="a.*"), cloud)]

    assert sorted(found) == [("a.jpg", "0-digests"), ("a.jpg", "0-images")]
