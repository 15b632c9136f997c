"""Finish: notices, the tasks that come after, and the notice of the job."""

from dataclasses import replace
from typing import Any

import pytest

from shared import ledger as objects
from shared import pipeline
from shared.errors import BadFile, Unavailable
from shared.model import File, Place, Run, canonical
from shared.plan import Condition, Plan, Task
from shared.testing import FakeCloud
from tests.unit.pipeline.calls import Counted, bytes_by_id, deliver_all, ledger, told, verdicts
from tests.unit.pipeline.conftest import Enlist
from tests.unit.plans import Script, chain, diamond, join, plan, step


class Publishes(list[list[str]]):
    """The names of steps, and `job`, of each publish request."""

    def __init__(self, topic: Any) -> None:
        self._topic = topic

    def __getattr__(self, name: str) -> Any:
        return getattr(self._topic, name)

    def publish(self, *notices: Any) -> None:
        self._topic.publish(*notices)
        self.append([notice.attributes.get("step", "job") for notice in notices])


class Immediate:
    """A queue that delivers each task before its caller goes on."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud

    def add(self, task: Task) -> bool:
        pipeline.process(task, 1, self._cloud)
        return True


@pytest.fixture
def published(cloud: FakeCloud) -> Publishes:
    cloud.completions = published = Publishes(cloud.completions)  # type: ignore[assignment]
    return published


def test_one_request_publishes_all_notices_of_a_plan_with_one_task(
    cloud: FakeCloud, enlist: Enlist, script: Script, published: Publishes
) -> None:
    enlist(plan(step("a"), step("b"), step("c", after=("a",))))

    assert deliver_all(cloud) == ["0-q1"]
    assert published == [["a", "b", "c", "job"]]
    assert list(ledger(cloud)) == ["job.json"]


def test_each_task_of_a_chain_publishes_its_own_notices_once(
    cloud: FakeCloud, enlist: Enlist, script: Script, published: Publishes
) -> None:
    enlist(chain())

    assert deliver_all(cloud) == ["0-q1", "1-q2"]
    assert published == [["a"], ["b", "job"]]
    assert list(ledger(cloud)) == ["1-q2.json", "job.json"]
    assert verdicts(cloud) == {"a": "succeeded", "b": "succeeded"}


def test_notices_come_before_the_tasks_that_come_after(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    (first,) = enlist(chain())
    cloud.completions.broken = True

    with pytest.raises(Unavailable):
        pipeline.process(first, 1, cloud)
    assert len(cloud.queue.added) == 1


def test_the_last_task_to_end_queues_a_join(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    first, second = enlist(join())
    pipeline.process(first, 1, cloud)
    before = len(cloud.queue.added)
    pipeline.process(second, 1, cloud)

    assert (before, len(cloud.queue.added)) == (2, 3)
    assert list(ledger(cloud)) == ["0-q1.json", "0-q2.json", "job.json"]


def test_a_join_tells_again_what_another_branch_may_have_left_untold(
    cloud: FakeCloud, enlist: Enlist, script: Script, published: Publishes
) -> None:
    enlist(join())
    deliver_all(cloud)

    assert published == [["a"], ["b"], ["a", "b", "c", "job"]] or published == [["a"], ["b"], ["c", "a", "b", "job"]]
    assert set(bytes_by_id(cloud)) == {notice.attributes["ce-id"] for notice in cloud.completions.notices[2:]}


def test_tasks_without_an_order_end_in_one_job(cloud: FakeCloud, enlist: Enlist, script: Script, published: Publishes) -> None:
    first, second = enlist(plan(step("a", "q1"), step("b", "q2")))
    pipeline.process(second, 1, cloud)
    pipeline.process(first, 1, cloud)

    assert published == [["b"], ["a", "b", "job"]]


def test_a_diamond_tells_of_each_step(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    enlist(diamond())

    assert deliver_all(cloud) == ["0-q1", "1-q2", "1-q3", "2-q1"]
    assert set(told(cloud)) == {"a", "b", "c", "d", "job"}
    assert told(cloud)["job"] == 1


def test_tasks_whose_steps_cannot_run_end_without_the_queue(
    cloud: FakeCloud, enlist: Enlist, script: Script, published: Publishes
) -> None:
    script.raises["a"] = BadFile("cut short", "corrupt")
    enlist(plan(step("a", "q1"), step("b", "q2", after=("a",)), step("c", "q3", after=("b",))))

    assert deliver_all(cloud) == ["0-q1"]
    assert verdicts(cloud) == {"a": "failed", "b": "skipped", "c": "skipped"}
    assert told(cloud) == {"a": 1, "b": 1, "c": 1, "job": 1}
    assert bytes_by_id(cloud)[cloud.completions.ids()[-1]].attributes["verdict"] == "failed"


def test_a_join_of_tasks_that_cannot_run_ends_once(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    script.raises["a"] = BadFile("cut short", "corrupt")
    enlist(diamond())

    assert deliver_all(cloud) == ["0-q1"]
    assert verdicts(cloud) == {"a": "failed", "b": "skipped", "c": "skipped", "d": "skipped"}
    assert told(cloud) == {"a": 1, "b": 1, "c": 1, "d": 1, "job": 1}


def test_a_branch_that_is_not_wanted_does_not_stop_the_other(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    script.facts["a"] = {"width_px": 80}
    wide = Condition("a", "width_px", {"min": 640})
    enlist(plan(step("a", "q1"), step("b", "q2", after=("a",), when=wide), step("c", "q3", after=("a",))))

    assert deliver_all(cloud) == ["0-q1", "1-q3"]
    assert verdicts(cloud) == {"a": "succeeded", "b": "skipped", "c": "succeeded"}
    assert set(told(cloud)) == {"a", "b", "c", "job"}
    assert cloud.completions.notices[-1].attributes["verdict"] == "succeeded"


def fork() -> Plan:
    """Two tasks that come after the first; the second of them is not wanted."""
    return plan(
        step("a"), step("b", "q2", after=("a",)), step("c", "q3", after=("a",), when=Condition("file", "size", {"max": 1}))
    )


def test_a_task_that_ends_as_soon_as_it_is_queued_ends_the_job(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    (first,) = enlist(fork())
    cloud.queue = Immediate(cloud)  # type: ignore[assignment]
    pipeline.process(first, 1, cloud)

    assert verdicts(cloud) == {"a": "succeeded", "b": "succeeded", "c": "skipped"}
    assert told(cloud)["job"] == 1


def test_a_repeat_that_queues_nothing_new_ends_the_job(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    (first,) = enlist(fork())
    deliver_all(cloud)
    cloud.completions.notices.clear()
    pipeline.process(first, 2, cloud)

    assert set(told(cloud)) == {"a", "b", "c", "job"}


def test_a_file_that_wants_no_step_is_skipped(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    (only,) = enlist(plan(step("a", when=Condition("file", "size", {"max": 1})), step("b", after=("a",))))
    pipeline.process(only, 1, cloud)

    assert cloud.completions.notices[-1].attributes["verdict"] == "skipped"
    assert script.worked == []


def test_what_a_swept_task_leads_to_has_the_number_of_the_sweep(cloud: FakeCloud, cat: File, script: Script) -> None:
    pipeline.enlist(Run(cat), diamond(), cloud, sweep=4)
    deliver_all(cloud)

    assert [task.sweep for task in cloud.queue.added.values()] == [4, 4, 4, 4]
    assert {name[-3:] for name in cloud.queue.added} == {"-s4"}


def test_a_sweep_passes_a_stage_whose_name_the_queue_remembers(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    (first,) = enlist(chain())
    pipeline.process(first, 1, cloud)  # the second task is queued, and lost now
    pipeline.enlist(first.run, first.plan, cloud, sweep=1)
    swept = list(cloud.queue.added.values())[2:]
    for task in swept:
        pipeline.process(task, 1, cloud)
    second = list(cloud.queue.added.values())[3:]
    for task in second:
        pipeline.process(task, 1, cloud)

    assert [(str(task.place), task.sweep) for task in (*swept, *second)] == [("0-q1", 1), ("1-q2", 1)]
    assert set(told(cloud)) == {"a", "b", "job"}
    assert script.worked == ["a", "b"]


def test_a_swept_task_that_another_delivery_commits_first_leads_on_under_its_sweep(
    cloud: FakeCloud, enlist: Enlist, script: Script
) -> None:
    (first,) = enlist(chain())
    pipeline.process(first, 1, cloud)  # the second task is queued, and lost now
    cloud.results.hidden_once.add(objects.job_name(first.run))
    pipeline.process(replace(first, sweep=4), 1, cloud)

    assert [(str(task.place), task.sweep) for task in cloud.queue.added.values()] == [("0-q1", 0), ("1-q2", 0), ("1-q2", 4)]
    assert script.worked == ["a", "a"]


@pytest.mark.parametrize("shape", [chain, join, diamond], ids=lambda shape: str(shape.__name__))
def test_repeats_publish_the_same_bytes_again(cloud: FakeCloud, enlist: Enlist, script: Script, shape: Any) -> None:
    enlist(shape())
    deliver_all(cloud)
    once, state = bytes_by_id(cloud), dict(cloud.results.versions)
    cloud.uploads.versions.clear()

    for task in list(cloud.queue.added.values()):
        pipeline.process(task, 2, cloud)

    assert bytes_by_id(cloud) == once
    assert cloud.results.versions == state


def test_a_skipped_task_that_another_delivery_committed_is_told_as_it_is_stored(
    cloud: FakeCloud, enlist: Enlist, script: Script
) -> None:
    script.raises["a"] = BadFile("corrupt")
    (first,) = enlist(chain())
    deliver_all(cloud)
    (name,) = (name for name in cloud.results.names("jobs/") if not name.endswith("job.json"))
    stored = dict(ledger(cloud)["1-q2.json"]) | {"time": "2020-01-01T00:00:00.000Z"}
    cloud.results.put(name, canonical(stored), "application/json")
    cloud.completions.notices.clear()

    pipeline.process(first, 2, cloud)

    times = [notice.attributes["ce-time"] for notice in cloud.completions.notices if notice.attributes.get("step") == "b"]
    assert times == ["2020-01-01T00:00:00.000Z"]


def other(cat: File) -> dict[str, Plan]:
    return {
        "manifest": plan(step("a", flavour="x")),
        "plan": plan(step("a", "q1", flavour="x"), step("b", "q2", flavour="x")),
    }


def test_the_manifest_of_another_plan_is_worked_through(cloud: FakeCloud, cat: File, script: Script) -> None:
    today, yesterday = chain(), plan(step("a", flavour="x"), step("b", "q2", after=("a",), flavour="x"))
    pipeline.process(Task(Run(cat), yesterday, Place(0, "q1")), 1, cloud)
    cloud.queue.added.clear()  # lost
    pipeline.process(Task(Run(cat), today, Place(0, "q1")), 1, cloud)
    deliver_all(cloud)

    assert [task.plan for task in cloud.queue.added.values()] == [yesterday]
    assert set(told(cloud)) == {"a", "b", "job"}
    assert {one["plan"]["id"] for one in ledger(cloud).values()} == {yesterday.plan8}


def test_the_plan_of_several_first_tasks_that_came_first_stands(cloud: FakeCloud, cat: File, script: Script) -> None:
    today, yesterday = chain(), join()
    pipeline.enlist(Run(cat), yesterday, cloud)
    cloud.queue.added.clear()  # lost
    pipeline.process(Task(Run(cat), today, Place(0, "q1")), 1, cloud)
    deliver_all(cloud)

    assert {task.plan.plan8 for task in cloud.queue.added.values()} == {yesterday.plan8}
    assert verdicts(cloud) == {"a": "succeeded", "b": "succeeded", "c": "succeeded"}
    assert told(cloud)["job"] == 1


def test_a_manifest_that_came_first_stands_against_several_first_tasks(cloud: FakeCloud, cat: File, script: Script) -> None:
    today, yesterday = join(), chain()
    pipeline.process(Task(Run(cat), yesterday, Place(0, "q1")), 1, cloud)
    cloud.queue.added.clear()  # lost
    pipeline.enlist(Run(cat), today, cloud)
    deliver_all(cloud)

    assert {task.plan.plan8 for task in cloud.queue.added.values()} == {yesterday.plan8}
    assert list(ledger(cloud)) == ["1-q2.json", "job.json"]


def test_a_manifest_of_a_release_with_fewer_fields_is_finished(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    (only,) = enlist(plan(step("a")))
    pipeline.process(only, 1, cloud)
    (name,) = cloud.results.names("jobs/")
    body = dict(ledger(cloud)["job.json"])
    kept = ("step", "recipe_id", "verdict", "outputs")
    body["steps"] = [{key: one[key] for key in kept} for one in body["steps"]]
    cloud.results.put(name, canonical(body))

    for number in (1, 2):
        pipeline.process(only, number, cloud)

    assert told(cloud) == {"a": 3, "job": 3}


@pytest.mark.failure("T34")
def test_an_outage_at_any_line_is_healed_by_the_next_delivery(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    (first,) = enlist(chain())
    for part, broken in ((cloud.queue, True), (cloud.completions, True), (cloud.results, {"create jobs"})):
        was, part.broken = part.broken, broken
        with pytest.raises(Unavailable):
            pipeline.process(first, 1, cloud)
        part.broken = was
    pipeline.process(first, 2, cloud)

    assert deliver_all(cloud)[1:] == ["1-q2"]
    assert verdicts(cloud) == {"a": "succeeded", "b": "succeeded"}


def test_siblings_are_read_only_where_a_join_needs_them(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    enlist(plan(step("a"), step("b")))
    cloud.results = counted = Counted(cloud.results)  # type: ignore[assignment]
    deliver_all(cloud)

    assert counted.calls == ["create", "create", "create", "create"]  # two outputs, manifest, index entry


def test_skipped_branches_of_unequal_length_end_the_job(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    """The join is looked at by the short branch before the long one has its manifests."""
    script.raises["a"] = BadFile("not a picture", "not_a_picture")
    long = step("b", "q2", after=("a",)), step("c", "q3", after=("b",))
    enlist(plan(step("a", "q1"), step("s", "q1s", after=("a",)), *long, step("d", "q4", after=("s", "c"))))

    assert deliver_all(cloud) == ["0-q1"]
    assert set(told(cloud).values()) == {1}
    assert told(cloud)["job"] == 1
    assert list(ledger(cloud)) == ["1-q1s.json", "1-q2.json", "2-q3.json", "3-q4.json", "job.json"]
