"""A verdict is committed once; a job is complete with its last verdict."""

import json
from dataclasses import replace

import pytest

from shared import ledger
from shared.errors import Unavailable
from shared.model import File, Manifest, Output, Recipe, Task
from shared.testing import FakeBucket

CAT = File("uploads", "cats/cat.jpg", 7, 1234, "image/jpeg", "AAAAAA==")
RECIPES = [Recipe(step, "any.digest", 1, {}) for step in ("a", "b", "c")]
SIBLINGS = tuple(recipe.recipe_id for recipe in RECIPES)
TASKS = [Task(CAT, recipe, "images", 5, SIBLINGS) for recipe in RECIPES]


@pytest.fixture
def results() -> FakeBucket:
    return FakeBucket("results")


def succeeded(task: Task) -> Manifest:
    output = Output("1.bin", ledger.output_name(task, "1.bin"), "image/webp", 9, "AAAAAA==")
    return ledger.manifest(task.file, task, "succeeded", attempt=1, outputs=(output,))


def test_names_are_those_of_the_first_release() -> None:
    recipe_id = TASKS[0].recipe.recipe_id

    assert ledger.manifest_name(CAT, recipe_id) == f"jobs/{CAT.file_id}/7/{recipe_id}.json"
    assert ledger.output_name(TASKS[0], "1.webp") == f"files/cats/cat.jpg/7/{recipe_id}/1.webp"


def test_a_committed_manifest_is_found(results: FakeBucket) -> None:
    done = succeeded(TASKS[0])

    ledger.commit(results, done)

    assert ledger.find(results, CAT, done.recipe_id) == done
    assert json.loads(results.read(ledger.manifest_name(CAT, done.recipe_id)) or b"")["verdict"] == "succeeded"


def test_nothing_is_found_before_it_is_committed(results: FakeBucket) -> None:
    assert ledger.find(results, CAT, TASKS[0].recipe.recipe_id) is None


def test_the_second_commit_returns_the_first(results: FakeBucket) -> None:
    first, second = succeeded(TASKS[0]), ledger.manifest(CAT, TASKS[0], "failed", "corrupt", "cut short", attempt=2)

    assert ledger.commit(results, first) == first
    assert ledger.commit(results, second) == first
    assert ledger.find(results, CAT, first.recipe_id) == first


def test_a_manifest_that_exists_but_is_not_found_is_retried(results: FakeBucket) -> None:
    done = succeeded(TASKS[0])
    ledger.commit(results, done)
    results.hidden_once.add(ledger.manifest_name(CAT, done.recipe_id))

    with pytest.raises(Unavailable):
        ledger.commit(results, done)


def test_generations_and_steps_never_meet(results: FakeBucket) -> None:
    newer = replace(TASKS[0], file=replace(CAT, generation=8))
    for task in (*TASKS, newer):
        ledger.commit(results, succeeded(task))

    assert len(list(results.names("jobs/"))) == 4
    assert [step.file.generation for step in ledger.history(results, CAT.file_id, "8")] == [8]
    assert [step.file.generation for step in ledger.history(results, CAT.file_id)] == [7, 7, 7, 8]


def test_a_generation_is_not_found_under_the_beginning_of_its_number(results: FakeBucket) -> None:
    ledger.commit(results, succeeded(replace(TASKS[0], file=replace(CAT, generation=77))))

    assert list(ledger.history(results, CAT.file_id, "7")) == []


def test_a_job_is_whole_only_with_its_last_sibling(results: FakeBucket) -> None:
    jobs = [ledger.job(results, ledger.commit(results, succeeded(task))) for task in TASKS]

    assert jobs[:2] == [None, None]
    assert jobs[2] is not None
    assert {step.recipe_id for step in jobs[2].steps} == set(SIBLINGS)


def test_every_sibling_sees_the_same_job(results: FakeBucket) -> None:
    done = [ledger.commit(results, succeeded(task)) for task in TASKS]

    jobs = [ledger.job(results, manifest) for manifest in done]

    assert len({json.dumps(job.to_json()) for job in jobs if job}) == 1


def test_a_file_without_steps_is_its_own_job(results: FakeBucket) -> None:
    skipped = ledger.commit(results, ledger.manifest(CAT, None, "skipped", "no_route", "no route takes this file"))

    job = ledger.job(results, skipped)

    assert job is not None
    assert job.verdict == "skipped"


def test_a_verdict_is_dated_in_utc() -> None:
    time = ledger.manifest(CAT, None, "skipped").time

    assert time.endswith("Z")
    assert len(time) == len("2026-01-15T10:00:00.000Z")


@pytest.mark.parametrize("letter", ["a", "ä", "😀"])
def test_a_name_has_room_exactly_while_its_longest_output_fits(letter: str) -> None:
    bare = len(ledger.output_name(replace(TASKS[0], file=replace(CAT, name="")), "x" * 64).encode())
    letters, rest = divmod(1024 - bare, len(letter.encode()))
    fits = replace(TASKS[0], file=replace(CAT, name=letter * letters + "a" * rest))

    assert len(ledger.output_name(fits, "x" * 64).encode()) == 1024
    assert ledger.has_room(fits)
    assert not ledger.has_room(replace(fits, file=replace(CAT, name=fits.file.name + "a")))


def test_the_error_of_each_attempt_is_kept(results: FakeBucket) -> None:
    ledger.note_error(results, TASKS[0], 1, "the first")
    ledger.note_error(results, TASKS[0], 2, "the second")

    assert ledger.last_error(results, TASKS[0], 2) == "the second"


def test_a_missing_error_is_explained(results: FakeBucket) -> None:
    assert "was killed, or ran out of time" in ledger.last_error(results, TASKS[0], 3)


def test_a_redrive_has_errors_of_its_own(results: FakeBucket) -> None:
    again = replace(TASKS[0], redrive=1)
    ledger.note_error(results, TASKS[0], 1, "the first life")
    ledger.note_error(results, again, 1, "the second life")

    assert ledger.last_error(results, again, 1) == "the second life"


def test_a_note_that_cannot_be_written_raises_nothing(results: FakeBucket) -> None:
    ledger.note_error(results, TASKS[0], 1, "the first")
    ledger.note_error(results, TASKS[0], 1, "the same attempt again")
    results.broken = {"create"}
    ledger.note_error(results, TASKS[0], 2, "lost")

    assert ledger.last_error(results, TASKS[0], 1) == "the first"


def test_attempts_are_claimed_one_by_one_at_any_delivery(results: FakeBucket) -> None:
    claimed = [ledger.begin_attempt(results, TASKS[0], delivery, 3) for delivery in (1, 7, 8, 8, 9)]
    again = ledger.begin_attempt(results, replace(TASKS[0], redrive=1), 7, 3)

    assert (claimed, again) == ([1, 2, 3, None, None], 2)


def test_an_outage_is_never_taken_for_a_missing_verdict(results: FakeBucket) -> None:
    done = ledger.commit(results, succeeded(TASKS[0]))
    results.broken = {"read"}

    with pytest.raises(Unavailable):
        ledger.find(results, CAT, done.recipe_id)
    with pytest.raises(Unavailable):
        ledger.job(results, done)
