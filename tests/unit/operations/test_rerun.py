"""Running a file again: the claim decides the plan, and what succeeded before is adopted."""

import json
from collections.abc import Iterator
from itertools import count

import pytest

from shared import index, manifest, pipeline
from shared.errors import BadFile, Unavailable
from shared.model import File, Run
from shared.operations.cancel import cancel
from shared.operations.rerun import Answer, rerun
from shared.plan import Plan
from shared.testing import FakeBucket, FakeCloud
from tests.unit.operations.mortal import Killed, Mortal
from tests.unit.pipeline.calls import deliver_all
from tests.unit.plans import Script, chain, join, plan, step
from tests.unit.working import work

TIME = "2026-01-15T10:00:00.000Z"
HAVING_TWO_STEPS = plan(step("a"), step("b", after=("a",), input="a/1.txt"))


@pytest.fixture
def half(cloud: FakeCloud, cat: File, script: Script) -> Script:
    """A file of which step a succeeded and step b failed; from now on both succeed."""
    script.raises["b"] = BadFile("not a picture", "not_a_picture")
    work(HAVING_TWO_STEPS, cloud, cat)
    script.raises.clear()
    script.worked.clear()
    return script


def again(cloud: FakeCloud, cat: File, steps: Plan = HAVING_TWO_STEPS, request: str = "mine", *, fresh: bool = False) -> Answer:
    return rerun(Run(cat), steps, request, cloud, fresh=fresh)


def outputs(cloud: FakeCloud, run: Run) -> dict[str, tuple[str, list[str]]]:
    """Of each step of this run: the job that it was adopted from, and the objects of its outputs."""
    folder = f"jobs/{run.file.file_id}/{run.file.generation}/{run.number}/"
    bodies = [json.loads(cloud.results.read(name) or b"") for name in cloud.results.names(folder)]
    steps = [one for body in bodies for one in body["steps"]]
    return {one["step"]: (one["adopted"], [output["object"] for output in one["outputs"]]) for one in steps}


def queued(cloud: FakeCloud) -> list[tuple[int, str]]:
    """The run and plan of each task that waits."""
    return [(task.run.number, task.plan.plan8) for task in cloud.queue.added.values()]


def test_only_the_step_that_failed_works_again(cloud: FakeCloud, cat: File, half: Script) -> None:
    cloud.queue.added.clear()
    run = again(cloud, cat).run
    deliver_all(cloud)

    a, b = (one.recipe.recipe_id for one in HAVING_TWO_STEPS.steps)
    assert half.worked == ["b"]
    assert outputs(cloud, run) == {
        "a": (Run(cat).job_id, [f"files/cat.jpg/{cat.generation}/{a}/1.txt"]),
        "b": ("", [f"files/cat.jpg/{cat.generation}/{b}-r1/1.txt"]),
    }
    assert index.has_entry(cloud.results, run, ["succeeded"])


def test_a_run_with_several_first_tasks_is_adopted_whole(cloud: FakeCloud, cat: File, script: Script) -> None:
    work(join(), cloud, cat)
    cloud.queue.added.clear()
    run = again(cloud, cat, join()).run
    deliver_all(cloud)

    assert script.worked == ["a", "b", "c"]
    assert index.has_entry(cloud.results, run, ["succeeded"])


def test_a_fresh_run_works_every_step_again(cloud: FakeCloud, cat: File, half: Script) -> None:
    cloud.queue.added.clear()
    run = again(cloud, cat, fresh=True).run
    deliver_all(cloud)

    assert half.worked == ["a", "b"]
    assert all(name.split("/")[3].endswith("-r1") for _, names in outputs(cloud, run).values() for name in names)


def test_what_a_run_adopted_is_adopted_again_from_where_it_was_made(cloud: FakeCloud, cat: File, half: Script) -> None:
    for number in range(2):
        cloud.queue.added.clear()
        run = again(cloud, cat, request=str(number)).run
        deliver_all(cloud)

    assert half.worked == ["b"]
    assert {name: adopted for name, (adopted, _) in outputs(cloud, run).items()} == {
        "a": Run(cat).job_id,
        "b": Run(cat, 1).job_id,
    }


def test_a_step_that_failed_in_a_fresh_run_is_tried_again(cloud: FakeCloud, cat: File, half: Script) -> None:
    for request, raises in (("first", {}), ("second", {"a": BadFile("not a picture", "not_a_picture")})):
        half.raises = dict(raises)
        cloud.queue.added.clear()
        again(cloud, cat, request=request, fresh=True)
        deliver_all(cloud)
    half.raises.clear()
    half.worked.clear()
    cloud.queue.added.clear()

    again(cloud, cat, request="third")
    deliver_all(cloud)

    assert half.worked == ["a", "b"]  # b was skipped after a: it is made from the new a


def test_a_run_that_was_cancelled_keeps_what_it_adopted(cloud: FakeCloud, cat: File, half: Script) -> None:
    again(cloud, cat)
    cancel("cat.jpg", cloud)
    cloud.queue.added.clear()

    again(cloud, cat, request="second")
    deliver_all(cloud)

    assert half.worked == ["b"]


def test_a_changed_recipe_is_not_adopted_nor_what_is_made_from_it(cloud: FakeCloud, cat: File, half: Script) -> None:
    cloud.queue.added.clear()
    again(cloud, cat)
    deliver_all(cloud)
    half.worked.clear()
    cloud.queue.added.clear()
    changed = plan(step("a", flavour="sweet"), step("b", after=("a",), input="a/1.txt"))
    again(cloud, cat, changed, "other")
    deliver_all(cloud)

    assert half.worked == ["a", "b"]


def test_a_run_in_work_is_not_overtaken(cloud: FakeCloud, cat: File, half: Script) -> None:
    again(cloud, cat)

    answer = again(cloud, cat, request="theirs")

    assert (answer.run.number, answer.state) == (1, "processing")
    assert index.later_runs(cloud.results, cat.file_id, cat.generation) == [1]


def test_a_file_whose_first_run_is_in_work_is_left_to_it(cloud: FakeCloud, cat: File, script: Script) -> None:
    pipeline.enlist(Run(cat), chain(), cloud)

    answer = again(cloud, cat, join())

    assert (answer.run.number, answer.state) == (0, "processing")
    assert queued(cloud) == [(0, chain().plan8)]


def test_a_claim_that_was_never_queued_is_queued_by_the_next_request(cloud: FakeCloud, cat: File, half: Script) -> None:
    cloud.queue.added.clear()
    index.claim(cloud.results, manifest.of_claim(Run(cat, 1), join(), {}, "theirs", TIME))

    answer = again(cloud, cat)

    assert (answer.run.number, answer.state) == (1, "processing")
    assert set(queued(cloud)) == {(1, join().plan8)}


def test_the_same_request_goes_on_with_its_run_under_the_plan_of_its_claim(cloud: FakeCloud, cat: File, half: Script) -> None:
    again(cloud, cat)
    cloud.queue.added.clear()

    answer = again(cloud, cat, join())

    assert (answer.run.number, answer.state) == (1, "resumed")
    assert queued(cloud) == [(1, HAVING_TWO_STEPS.plan8)]


def test_a_request_whose_run_has_ended_queues_nothing(cloud: FakeCloud, cat: File, half: Script) -> None:
    again(cloud, cat, fresh=True)
    deliver_all(cloud)
    cloud.queue.added.clear()  # as a queue forgets the names of tasks after hours

    answer = again(cloud, cat, fresh=True)

    assert (answer.run.number, answer.state) == (1, "resumed")
    assert queued(cloud) == []


class Overtaken(FakeBucket):
    """A bucket in which another operator's claim stands, which the first list does not show yet."""

    def names(self, prefix: str, start: str = "", end: str = "") -> Iterator[str]:
        return iter(()) if prefix.startswith("index/rerun/") else super().names(prefix, start, end)


def test_who_loses_the_race_for_a_claim_takes_the_plan_of_the_winner(cloud: FakeCloud, cat: File, half: Script) -> None:
    cloud.queue.added.clear()
    index.claim(cloud.results, manifest.of_claim(Run(cat, 1), join(), {}, "theirs", TIME))
    cloud.results = Overtaken("results", cloud.results.versions)

    answer = again(cloud, cat)

    assert (answer.run.number, answer.state) == (1, "processing")
    assert set(queued(cloud)) == {(1, join().plan8)}


def test_a_claim_that_cannot_be_read_is_an_outage(cloud: FakeCloud, cat: File, half: Script) -> None:
    wanted = manifest.of_claim(Run(cat, 1), join(), {}, "theirs", TIME)
    index.claim(cloud.results, wanted)
    cloud.results.hidden_once.add(index.claim_name(Run(cat, 1)))

    with pytest.raises(Unavailable, match="cannot be read; retry"):
        index.claim(cloud.results, wanted)


def test_a_plan_without_steps_ends_the_run_at_once(cloud: FakeCloud, cat: File, half: Script) -> None:
    run = again(cloud, cat, Plan()).run

    assert index.has_entry(cloud.results, run, ["skipped"])


def test_cut_off_before_any_call_the_request_goes_on_and_ends_one_run(cloud: FakeCloud, cat: File, half: Script) -> None:
    results, queue, kept = cloud.results, cloud.queue, dict(cloud.results.versions)
    survived = False
    for last in count():
        results.versions, queue.added, calls = dict(kept), {}, count()
        cloud.results, cloud.queue = Mortal(results, calls, last), Mortal(queue, calls, last)  # type: ignore[assignment]
        try:
            again(cloud, cat)
            survived = True
        except Killed:
            pass
        cloud.results, cloud.queue = results, queue
        again(cloud, cat)
        deliver_all(cloud)

        assert index.later_runs(results, cat.file_id, cat.generation) == [1], f"cut off before call {last}"
        assert index.has_entry(results, Run(cat, 1), ["succeeded"]), f"cut off before call {last}"
        if survived:
            break
    assert last > 3
