"""The sweep: what it queues again, what it leaves alone, what it costs, and where it goes on."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from shared import index, ledger, log, manifest, pipeline
from shared.manifest import Claim
from shared.model import File, Run
from shared.operations.rerun import rerun
from shared.operations.sweep import sweep
from shared.operations.sweep_report import MAX_NAMES, Report
from shared.plan import Plan, Task
from shared.routes import Webhook
from shared.sweep_part import UPLOADS, Part
from shared.testing import FakeCloud
from tests.unit.pipeline.calls import Counted, deliver_all, told
from tests.unit.plans import Script, chain, join, plan, step
from tests.unit.working import Fixed, work

#: The fake bucket's generations: 14 November 2023, 22:13:20 UTC, on day 19,675 since 1970.
UPLOADED, DAY = 1_700_000_000, 19_675
NOW = UPLOADED + 5400
TOMORROW = NOW + 86_400
Put = Callable[..., File]


@dataclass
class Routes(Fixed):
    """... with the queues that pipeline.toml has."""

    queues: dict[str, Any] = field(default_factory=lambda: {"q1": None, "q2": None, "q3": None})
    webhooks: dict[str, Webhook] = field(default_factory=dict)


@pytest.fixture
def planned(cloud: FakeCloud, script: Script) -> Callable[[Plan], None]:
    """Give every file this plan from now on."""

    def plan(steps: Plan) -> None:
        cloud.routes = Routes(steps)  # type: ignore[assignment]

    plan(plan_of_one())
    return plan


def plan_of_one(flavour: str = "") -> Plan:
    return plan(step("a", "q1", flavour=flavour))


def swept(cloud: FakeCloud, began: int = NOW, part: Part | None = None) -> Report:
    return sweep(part or Part(began), cloud, lambda: True)


def names(cloud: FakeCloud) -> list[str]:
    """The names in the queues, without the id of the job."""
    return [f"{task.place.queue} {task.name.split('-', 2)[2]}" for task in cloud.queue.added.values()]


def lose_tasks(cloud: FakeCloud) -> None:
    """Purge the queues, and forget the names."""
    cloud.queue.added.clear()


@pytest.mark.failure("T05")
def test_a_file_whose_notification_was_lost_is_queued(cloud: FakeCloud, uploaded: Put, planned: Any) -> None:
    uploaded("cat.jpg", b"meow")

    report = swept(cloud)

    assert names(cloud) == [f"q1 {plan_of_one().plan8}-0-s{DAY}"]
    assert (report.uploads, report.jobs["queued"], report.rest) == (1, 1, None)


@pytest.mark.failure("T68")
def test_a_second_sweep_of_the_day_creates_nothing(cloud: FakeCloud, uploaded: Put, planned: Any) -> None:
    for number in range(200):
        uploaded(f"{number}.jpg", b"meow")
    first, before = swept(cloud), dict(cloud.queue.added)
    second = swept(cloud, NOW + 600)

    assert (first.jobs["queued"], second.jobs["queued"], second.jobs["waiting"]) == (200, 0, 200)
    assert cloud.queue.added == before
    deliver_all(cloud)
    third = swept(cloud, NOW + 1200)
    assert (third.entries, sum(third.jobs.values()), told(cloud)["job"]) == (200, 0, 200)


def test_files_and_claims_younger_than_an_hour_and_older_than_two_weeks_are_left(
    cloud: FakeCloud, uploaded: Put, planned: Any, script: Script
) -> None:
    claimed(cloud, uploaded("again.jpg", b"meow"), plan_of_one())
    uploaded("cat.jpg", b"meow")

    for began in (UPLOADED + 3599, UPLOADED + 14 * 86_400 + 1):
        assert sum(swept(cloud, began).jobs.values()) == 0
    assert swept(cloud, UPLOADED + 14 * 86_400).jobs["queued"] == 2


@pytest.mark.failure("T19")
def test_folder_markers_and_parts_of_uploads_are_no_files(cloud: FakeCloud, uploaded: Put, planned: Any) -> None:
    uploaded("folder/", b"")
    uploaded("gcloud/tmp/parallel_composite_uploads/part", b"x")

    assert sum(swept(cloud).jobs.values()) == 0
    assert list(cloud.results.names("")) == []


def test_a_name_that_the_queue_refused_is_not_counted_as_queued(cloud: FakeCloud, uploaded: Put, planned: Any) -> None:
    uploaded("cat.jpg", b"meow")
    swept(cloud)
    (task,) = cloud.queue.added.values()
    cloud.queue.delete(task)
    again, tomorrow = swept(cloud, NOW + 600), swept(cloud, TOMORROW)

    assert (again.jobs["queued"], again.jobs["recent"]) == (0, 1)
    assert (tomorrow.jobs["queued"], tomorrow.jobs["recent"]) == (1, 0)


@pytest.mark.parametrize("is_new", [True, False])
def test_a_claim_counts_as_queued_only_where_the_queue_took_it(
    cloud: FakeCloud, uploaded: Put, planned: Any, script: Script, is_new: bool
) -> None:
    claim = claimed(cloud, uploaded("cat.jpg", b"meow"), plan_of_one())
    if not is_new:
        task = Task(claim.run, claim.plan, claim.plan.first[0], DAY)
        cloud.queue.add(task)
        cloud.queue.delete(task)
    report = swept(cloud)

    assert (report.jobs["queued"], report.jobs["recent"]) == (int(is_new), int(not is_new))


def test_a_file_whose_entry_alone_was_missing_has_ended(cloud: FakeCloud, uploaded: Put, planned: Any, script: Script) -> None:
    work(plan_of_one(), cloud, uploaded("cat.jpg", b"meow"))
    for name in list(cloud.results.names("index/")):
        del cloud.results.versions[name]
    lose_tasks(cloud)
    report = swept(cloud, TOMORROW)

    assert (report.jobs["queued"], report.jobs["ended"], report.late) == (0, 1, 0)
    assert len(list(cloud.results.names("index/"))) == 1


def test_a_file_without_steps_ends(cloud: FakeCloud, uploaded: Put, planned: Any) -> None:
    uploaded("empty.jpg", b"")
    assert swept(cloud).jobs["ended"] == 1

    assert [name.split("/")[1] for name in cloud.results.names("index/")] == ["skipped"]


@pytest.mark.failure("T67")
def test_a_task_that_waits_is_left_alone_under_every_name(cloud: FakeCloud, uploaded: Put, planned: Any) -> None:
    run = Run(uploaded("cat.jpg", b"meow"))
    for number in (0, DAY, DAY + 1):
        task = Task(run, plan_of_one(), plan_of_one().first[0], number)
        cloud.queue.add(task)
        report = swept(cloud, TOMORROW)

        assert (report.jobs["waiting"], report.late, report.names) == (1, 1, ["cat.jpg"])
        cloud.queue.delete(task)
    swept(cloud, TOMORROW)  # the queue remembers the name of this day's
    assert len(cloud.queue.added) == 3
    swept(cloud, TOMORROW + 86_400)
    assert names(cloud)[3:] == [f"q1 {plan_of_one().plan8}-0-s{DAY + 2}"]


def test_a_task_of_a_later_stage_that_waits_is_left_alone(cloud: FakeCloud, uploaded: Put, planned: Any) -> None:
    planned(chain())
    work(chain(), cloud, uploaded("cat.jpg", b"meow"), "0-q1")
    for task in [task for task in cloud.queue.added.values() if task.place.stage == 0]:
        cloud.queue.delete(task)

    assert swept(cloud).jobs["waiting"] == 1


@pytest.mark.failure("T23")
def test_a_lost_task_of_a_later_stage_is_queued_without_working_again(
    cloud: FakeCloud, uploaded: Put, planned: Any, script: Script
) -> None:
    planned(chain())
    work(chain(), cloud, uploaded("cat.jpg", b"meow"), "0-q1")
    lose_tasks(cloud)

    assert swept(cloud).jobs["queued"] == 1
    assert names(cloud) == [f"q2 {chain().plan8}-1-s{DAY}"]
    deliver_all(cloud)
    assert script.worked == ["a", "b"]
    assert [name.split("/")[1] for name in cloud.results.names("index/")] == ["succeeded"]


def test_what_a_swept_task_leads_to_has_the_number_of_the_sweep(cloud: FakeCloud, uploaded: Put, planned: Any) -> None:
    planned(chain())
    uploaded("cat.jpg", b"meow")
    swept(cloud)
    deliver_all(cloud)

    assert names(cloud) == [f"q1 {chain().plan8}-0-s{DAY}", f"q2 {chain().plan8}-1-s{DAY}"]


def test_a_file_keeps_the_plan_that_stands(cloud: FakeCloud, uploaded: Put, planned: Any) -> None:
    pipeline.enlist(Run(uploaded("cat.jpg", b"meow")), join(), cloud)
    lose_tasks(cloud)
    planned(plan_of_one("another"))
    swept(cloud)

    assert names(cloud) == [f"q1 {join().plan8}-0-s{DAY}", f"q2 {join().plan8}-0-s{DAY}"]


@pytest.mark.failure("T24")
def test_a_paused_queue_is_left_alone(cloud: FakeCloud, uploaded: Put, planned: Any) -> None:
    uploaded("cat.jpg", b"meow")
    cloud.queue.pause("q1")
    paused = swept(cloud, TOMORROW)
    cloud.queue.resume("q1")

    assert (paused.jobs["paused"], paused.names, swept(cloud, TOMORROW).jobs["queued"]) == (1, ["cat.jpg"], 1)


def claimed(cloud: FakeCloud, file: File, steps: Plan) -> Claim:
    """A claim that a crash cut off from its tasks, after a run that ended."""
    work(steps, cloud, file)
    rerun(Run(file), steps, "request", cloud)
    lose_tasks(cloud)
    (claim,) = index.claims(cloud.results, Run(file))
    return claim


def test_a_claim_without_tasks_is_resent_with_what_it_adopts(
    cloud: FakeCloud, uploaded: Put, planned: Any, script: Script
) -> None:
    claim = claimed(cloud, uploaded("cat.jpg", b"meow"), chain())
    planned(plan_of_one("another"))

    report = swept(cloud)

    assert (report.claims, report.uploads, report.jobs["queued"]) == (1, 1, 1)
    assert names(cloud) == [f"q1 r1-{chain().plan8}-0-s{DAY}"]
    assert claim.adopted
    assert [task.adopted for task in cloud.queue.added.values()] == [claim.adopted]
    deliver_all(cloud)
    assert script.worked == ["a", "b"]
    assert sum(swept(cloud).jobs.values()) == 0


def test_a_sweep_queues_under_the_number_of_its_own_day(cloud: FakeCloud, uploaded: Put, planned: Any, script: Script) -> None:
    """A plan that stands, a claim, and a file that was never seen."""
    pipeline.enlist(Run(uploaded("a.jpg", b"meow")), join(), cloud)
    claimed(cloud, uploaded("b.jpg", b"meow"), plan_of_one())
    uploaded("c.jpg", b"meow")

    for days in range(3):
        swept(cloud, NOW + days * 86_400)
        assert [task.sweep for task in cloud.queue.added.values()] == [DAY + days] * 4
        lose_tasks(cloud)


def test_a_job_that_ends_during_the_sweep_is_told_once(cloud: FakeCloud, uploaded: Put, planned: Any, script: Script) -> None:
    pipeline.enlist(Run(uploaded("cat.jpg", b"meow")), plan_of_one(), cloud)
    report = sweep(Part(NOW), cloud, lambda: bool(deliver_all(cloud)))  # the index was read, the upload was not looked at yet

    assert (report.entries, report.jobs["ended"], told(cloud)["job"]) == (0, 1, 1)


def test_a_claim_of_an_upload_older_than_the_window_is_chosen_by_its_own_age(
    cloud: FakeCloud, uploaded: Put, planned: Any
) -> None:
    old = replace(uploaded("cat.jpg", b"meow"), generation=(UPLOADED - 30 * 86_400) * 10**6)
    (stored, data), *_ = cloud.uploads.versions["cat.jpg"].values()
    cloud.uploads.versions["cat.jpg"] = {old.generation: (replace(stored, generation=old.generation), data)}
    claimed(cloud, old, plan_of_one())

    assert swept(cloud).jobs["queued"] == 1
    deliver_all(cloud)
    assert (swept(cloud).jobs["ended"], swept(cloud).entries) == (1, 0)


def test_a_damaged_object_does_not_keep_the_others_from_their_turn(cloud: FakeCloud, uploaded: Put, planned: Any) -> None:
    damaged = uploaded("a.jpg", b"meow")
    cloud.results.create(ledger.job_name(Run(damaged)), "application/json", b"{")
    cloud.results.create(index.claim_name(Run(damaged, 1)), "application/json", b"[]")
    uploaded("b.jpg", b"meow")

    report = swept(cloud, TOMORROW)

    assert (report.jobs["unavailable"], report.jobs["queued"], report.late) == (2, 1, 3)


def test_a_queue_that_does_not_answer_costs_its_own_files_only(cloud: FakeCloud, uploaded: Put, planned: Any) -> None:
    for name in ("a.jpg", "b.jpg"):
        uploaded(name, b"meow")
    cloud.queue.down.add("q1")

    assert swept(cloud).jobs["unavailable"] == 2


@pytest.mark.failure("T68")
@pytest.mark.parametrize("took", range(7))
def test_the_next_part_goes_on_where_the_time_was_over(cloud: FakeCloud, uploaded: Put, planned: Any, took: int) -> None:
    claimed(cloud, uploaded("a.jpg", b"meow"), plan_of_one())
    for name in ("b.jpg", "c.jpg", "d.jpg"):
        uploaded(name, b"meow")

    clock = itertools.count()
    first = sweep(Part(NOW), cloud, lambda: next(clock) < took)
    rest = swept(cloud, part=first.rest) if first.rest else None

    assert (first.rest is None) == (took >= 5)
    assert first.jobs["queued"] + (rest.jobs["queued"] if rest else 0) == 4
    assert first.claims - (took == 0) + first.uploads - (0 < took < 5) + (rest.claims + rest.uploads if rest else 0) in (4, 5)
    assert len(cloud.queue.added) == 4


def test_the_next_part_reads_the_claims_that_are_left(cloud: FakeCloud, uploaded: Put, planned: Any) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        work(plan_of_one(), cloud, file := uploaded(name, b"meow"))
        rerun(Run(file), plan_of_one(), f"request for {name}", cloud)
    lose_tasks(cloud)

    clock = itertools.count()
    first = sweep(Part(NOW), cloud, lambda: next(clock) < 1)
    assert first.rest
    rest = swept(cloud, part=first.rest)

    assert (first.claims, first.rest.walk, rest.claims, rest.uploads) == (1, "claims", 2, 3)
    assert (first.jobs["queued"], rest.jobs["queued"]) == (1, 2)


def test_a_part_that_goes_on_with_the_uploads_reads_no_claims(
    cloud: FakeCloud, uploaded: Put, planned: Any, script: Script
) -> None:
    claimed(cloud, uploaded("a.jpg", b"meow"), plan_of_one())
    report = swept(cloud, part=Part(NOW, 1, UPLOADS, "a.jpg"))

    assert (report.claims, report.uploads) == (0, 1)


def test_a_report_names_only_some_of_many_late_files(cloud: FakeCloud, uploaded: Put, planned: Any) -> None:
    for number in range(MAX_NAMES + 1):
        uploaded(f"{number:02}.jpg", b"meow")
    report = swept(cloud, TOMORROW)

    assert (report.late, report.names) == (MAX_NAMES + 1, [f"{number:02}.jpg" for number in range(MAX_NAMES)])


def test_a_warning_names_the_jobs_that_wait_for_more_than_a_day(cloud: FakeCloud, uploaded: Put, planned: Any) -> None:
    uploaded("cat.jpg", b"meow")
    lines: list[dict[str, Any]] = []
    with log.sent_to(lines.append):
        for began in (NOW, TOMORROW):
            swept(cloud, began)

    assert [(line["jobs"], line["objects"]) for line in lines if line["severity"] == "WARNING"] == [(1, ["cat.jpg"])]


def test_a_queue_that_nothing_queues_to_is_reported(cloud: FakeCloud, planned: Any) -> None:
    cloud.queue.existing = {"q1", "q2", "sweeper", "webhook-orders", "renamed"}
    cloud.routes.webhooks = {"orders": Webhook("orders", "https://receiver.test/", "env:SLUICE_SECRET_orders")}  # type: ignore[misc]

    report = swept(cloud)

    assert report.left_behind == report.to_json()["queues_left_behind"] == ["renamed"]


def test_the_queues_of_a_deployment_with_a_longer_prefix_are_not_ours(cloud: FakeCloud, planned: Any) -> None:
    """With the prefix `sluice-`, those of `sluice-eu-` are seen as `eu-images` and so on."""
    cloud.queue.existing = {"q1", "sweeper", "eu-images", "eu-sweeper", "eu-test-sweeper", "europe", "streetsweeper"}

    assert swept(cloud).left_behind == ["europe", "streetsweeper"]


def test_a_healthy_file_costs_no_call_of_its_own(cloud: FakeCloud, uploaded: Put, planned: Any) -> None:
    """6 lists of uploads, 5 of their entries, 6 of the other verdicts, 1 of the claims."""
    for number in range(5000):
        run = Run(uploaded(f"{number:04}.jpg", b"meow"))
        index.write(cloud.results, manifest.Job([manifest.of_no_task(run, "succeeded", "", "", "2023-11-14T22:13:21.000Z")]))
    cloud.uploads, cloud.results, cloud.queue = (Counted(part) for part in (cloud.uploads, cloud.results, cloud.queue))  # type: ignore[assignment]
    cloud.uploads.lists = cloud.results.lists = 0

    report = swept(cloud)

    assert (report.uploads, report.entries, sum(report.jobs.values())) == (5000, 5000, 0)
    assert (cloud.uploads.part.lists, cloud.results.part.lists) == (6, 5 + 6 + 1)  # type: ignore[attr-defined]
    assert set(cloud.uploads.calls) == {"objects"}  # type: ignore[attr-defined]
    assert set(cloud.results.calls) == {"names", "objects"}  # type: ignore[attr-defined]
    assert cloud.queue.calls == ["names"]  # type: ignore[attr-defined]
