"""One create-only object decides a run's plan, and one commits each task."""

from dataclasses import replace

import pytest

from shared import clock, ledger, manifest
from shared.errors import Unavailable
from shared.ledger import Manifests
from shared.manifest import Manifest
from shared.model import Place, Result, Run, Verdict
from shared.plan import Plan
from shared.testing import FakeBucket
from tests.unit.plans import CAT, chain, diamond, join, plan, step, task

RUN = Run(replace(CAT, name="cats/cat.jpg", generation=7))
TIME = "2026-01-15T10:00:00.000Z"
HERE = f"jobs/{RUN.file.file_id}/7/0"


@pytest.fixture
def results() -> FakeBucket:
    return FakeBucket("results")


def ended(steps: Plan, place: Place, verdict: Verdict = "succeeded", run: Run = RUN) -> Manifest:
    mine = task(steps, place, file=run.file, run=run.number)
    return manifest.of_task(mine, [Result(one.name, one.recipe.recipe_id, verdict) for one in mine.steps], TIME)


def commit(results: FakeBucket, done: Manifest) -> None:
    ledger.commit(results, ledger.manifest_name(done.run, done.plan, done.place), done)


def test_the_manifest_of_the_only_first_task_is_the_object_that_decides_the_plan() -> None:
    steps = diamond()

    assert [ledger.manifest_name(RUN, steps, place) for place in steps.places] == [
        f"{HERE}/job.json",
        f"{HERE}/1-q2.json",
        f"{HERE}/1-q3.json",
        f"{HERE}/2-q1.json",
    ]


def test_each_of_several_first_tasks_has_a_manifest_beside_the_plan() -> None:
    steps = join()

    assert ledger.job_name(RUN) == f"{HERE}/job.json"
    assert [ledger.manifest_name(RUN, steps, place) for place in steps.places] == [
        f"{HERE}/0-q1.json",
        f"{HERE}/0-q2.json",
        f"{HERE}/1-q3.json",
    ]


def test_each_run_has_objects_of_its_own() -> None:
    recipe = chain().by_name["a"].recipe
    again = Run(RUN.file, 1)

    assert ledger.job_name(again) == f"jobs/{RUN.file.file_id}/7/1/job.json"
    assert ledger.output_name(RUN, recipe, "1.webp") == f"files/cats/cat.jpg/7/{recipe.recipe_id}/1.webp"
    assert ledger.output_name(again, recipe, "1.webp") == f"files/cats/cat.jpg/7/{recipe.recipe_id}-r1/1.webp"


def test_a_committed_manifest_is_found(results: FakeBucket) -> None:
    done = ended(chain(), Place(0, "q1"))

    assert ledger.commit(results, "jobs/x", done) == done
    assert ledger.find(results, "jobs/x") == done


def test_a_committed_plan_is_found(results: FakeBucket) -> None:
    planned = manifest.of_plan(RUN, join())

    assert ledger.commit(results, "jobs/x", planned) == planned
    assert ledger.find(results, "jobs/x") == planned


def test_nothing_is_found_before_it_is_committed(results: FakeBucket) -> None:
    assert ledger.find(results, "jobs/x") is None


@pytest.mark.parametrize("garbage", [b"", b"{", b"[]", b"7", b'"kind"', b"{}", b"\xff", b"[" * 100_000])
def test_an_object_that_is_no_manifest_waits_for_an_operator_and_is_named(results: FakeBucket, garbage: bytes) -> None:
    results.put("jobs/x", garbage)

    with pytest.raises(Unavailable, match="object jobs/x of the results bucket is no manifest"):
        ledger.find(results, "jobs/x")


@pytest.mark.failure("T38")
def test_the_second_commit_returns_the_first(results: FakeBucket) -> None:
    first, second = ended(chain(), Place(0, "q1")), ended(chain(), Place(0, "q1"), "failed")

    assert ledger.commit(results, "jobs/x", first) == first
    assert ledger.commit(results, "jobs/x", second) == first
    assert ledger.find(results, "jobs/x") == first


def test_a_plan_that_came_first_stands_against_a_manifest(results: FakeBucket) -> None:
    planned = manifest.of_plan(RUN, join())
    ledger.commit(results, "jobs/x", planned)

    assert ledger.commit(results, "jobs/x", ended(chain(), Place(0, "q1"))) == planned


def test_a_manifest_that_exists_but_is_not_found_is_retried(results: FakeBucket) -> None:
    done = ended(chain(), Place(0, "q1"))
    ledger.commit(results, "jobs/x", done)
    results.hidden_once.add("jobs/x")

    with pytest.raises(Unavailable):
        ledger.commit(results, "jobs/x", done)


def test_an_outage_is_never_taken_for_a_missing_manifest(results: FakeBucket) -> None:
    done = ended(chain(), Place(0, "q1"))
    commit(results, done)
    results.broken = {"read"}

    with pytest.raises(Unavailable):
        ledger.find(results, ledger.job_name(RUN))
    with pytest.raises(Unavailable):
        Manifests(results, RUN, done.plan).job()


def test_a_job_is_whole_only_with_its_last_manifest(results: FakeBucket) -> None:
    steps = diamond()
    jobs = []
    for place in steps.places:
        commit(results, ended(steps, place))
        jobs.append(Manifests(results, RUN, steps).job())

    assert jobs[:3] == [None, None, None]
    assert jobs[3] is not None
    assert [one.place for one in jobs[3].manifests] == steps.places


def test_the_plan_beside_the_manifests_is_not_one_of_them(results: FakeBucket) -> None:
    steps = join()
    ledger.commit(results, ledger.job_name(RUN), manifest.of_plan(RUN, steps))

    assert Manifests(results, RUN, steps).find(Place(0, "q1")) is None
    assert Manifests(results, RUN, steps).job() is None
    assert Manifests(results, RUN, chain()).find(Place(0, "q1")) is None


def test_a_file_without_tasks_is_a_whole_job(results: FakeBucket) -> None:
    manifests = Manifests(results, RUN, Plan())
    refused = manifest.of_no_task(RUN, "skipped", "empty", "the file has no bytes", TIME)
    manifests.add(refused)

    job = manifests.job()

    assert job is not None
    assert job.manifests == [refused]


def test_a_manifest_is_read_at_most_once(results: FakeBucket) -> None:
    steps = chain()
    first, last = ended(steps, Place(0, "q1")), ended(steps, Place(1, "q2"))
    commit(results, first)
    manifests = Manifests(results, RUN, steps)
    assert manifests.find(first.place) == first
    manifests.add(last)
    results.broken = {"read"}

    assert manifests.find(first.place) == first
    assert manifests.job() is not None


def test_a_manifest_that_was_missing_is_looked_for_again(results: FakeBucket) -> None:
    steps = chain()
    manifests = Manifests(results, RUN, steps)
    before = manifests.find(Place(0, "q1"))
    commit(results, ended(steps, Place(0, "q1")))

    assert (before, manifests.find(Place(0, "q1"))) == (None, ended(steps, Place(0, "q1")))


def test_the_manifest_of_a_step_before_must_be_there(results: FakeBucket) -> None:
    steps = chain()
    manifests = Manifests(results, RUN, steps)

    with pytest.raises(Unavailable, match="step a cannot be read; retry"):
        manifests.of("a")
    commit(results, ended(steps, Place(0, "q1")))
    assert manifests.of("a").results["a"].verdict == "succeeded"


def test_generations_and_runs_never_meet(results: FakeBucket) -> None:
    steps = chain()
    for run in (RUN, Run(RUN.file, 1), Run(replace(RUN.file, generation=77)), Run(replace(RUN.file, generation=8))):
        commit(results, ended(steps, Place(0, "q1"), run=run))

    def found(generation: str = "") -> list[tuple[int, int]]:
        history = ledger.history(results, RUN.file.file_id, generation)
        return sorted((one.run.file.generation, one.run.number) for one in history)

    assert found() == [(7, 0), (7, 1), (8, 0), (77, 0)]
    assert found("7") == [(7, 0), (7, 1)]


def test_the_history_has_plans_too(results: FakeBucket) -> None:
    planned = manifest.of_plan(RUN, join())
    ledger.commit(results, ledger.job_name(RUN), planned)

    assert list(ledger.history(results, RUN.file.file_id)) == [planned]


def test_a_verdict_is_dated_in_utc() -> None:
    time = clock.now()

    assert time.endswith("Z")
    assert len(time) == len("2026-01-15T10:00:00.000Z")


@pytest.mark.parametrize("letter", ["a", "ä", "😀"])
@pytest.mark.parametrize("number", [0, 12])
def test_a_name_has_room_exactly_while_its_longest_output_fits(letter: str, number: int) -> None:
    recipe = plan(step("a")).steps[0].recipe
    bare = len(ledger.output_name(Run(replace(CAT, name=""), number), recipe, "x" * 64).encode())
    letters, rest = divmod(1024 - bare, len(letter.encode()))
    fits = replace(CAT, name=letter * letters + "a" * rest)

    assert len(ledger.output_name(Run(fits, number), recipe, "x" * 64).encode()) == 1024
    assert ledger.has_room(Run(fits, number), recipe)
    assert not ledger.has_room(Run(replace(fits, name=fits.name + "a"), number), recipe)
