"""Attempts are counted per step, by notes beside the manifests."""

from dataclasses import replace

import pytest

from shared import attempts
from shared.attempts import FREE_VOIDS, KILLED, Attempts
from shared.errors import Unavailable
from shared.model import Result
from shared.plan import Plan, Task
from shared.testing import FakeBucket
from tests.unit.plans import plan, step, task

ALONE = plan(step("a", attempts=3))
PAIR = plan(step("a", attempts=3), step("b", attempts=3))


@pytest.fixture
def results() -> FakeBucket:
    return FakeBucket("results")


def begin(steps: Plan | Task, delivery: int, results: FakeBucket, name: str = "a") -> int | None:
    """Begin an attempt of the step of this name."""
    whole = steps if isinstance(steps, Task) else task(steps)
    return Attempts(whole, delivery, results).begin(whole.plan.by_name[name])


def error_of(results: FakeBucket, whole: Task, step: str) -> str:
    """The message of the latest note of this step."""
    error = attempts.standings(results, whole)[step].error
    assert error is not None
    return str(error["message"])


@pytest.mark.parametrize("steps", [ALONE, PAIR], ids=["one-step", "two-steps"])
def test_a_first_delivery_that_left_nothing_costs_no_attempt(results: FakeBucket, steps: Plan) -> None:
    assert [begin(steps, delivery, results) for delivery in (1, 2, 3, 4, 5, 6)] == [1, 1, 2, 3, None, None]


@pytest.mark.parametrize("steps", [ALONE, PAIR], ids=["one-step", "two-steps"])
def test_a_first_delivery_that_left_an_error_is_an_attempt(results: FakeBucket, steps: Plan) -> None:
    Attempts(task(steps), 1, results).error(steps.steps[0], 1, "division by zero")

    assert [begin(steps, delivery, results) for delivery in (2, 3, 4)] == [2, 3, None]


def test_attempts_of_one_step_cost_another_none(results: FakeBucket) -> None:
    for delivery in (2, 3, 4, 5):
        begin(PAIR, delivery, results, "a")

    assert begin(PAIR, 6, results, "b") == 1


def test_a_first_delivery_leaves_no_object(results: FakeBucket) -> None:
    notes, one = Attempts(task(ALONE), 1, results), ALONE.steps[0]
    notes.begin(one)
    ended = notes.end(one, Result("a", "a-0", "succeeded"))

    assert ended == Result("a", "a-0", "succeeded")
    assert results.versions == {}


def test_deliveries_that_reached_no_processor_use_up_no_attempts(results: FakeBucket) -> None:
    assert [begin(ALONE, delivery, results) for delivery in (40, 70, 71, 72)] == [1, 2, 3, None]


def test_two_deliveries_at_once_claim_two_attempts(results: FakeBucket) -> None:
    one, other = (Attempts(task(ALONE), 2, results) for _ in range(2))
    assert [notes.done(ALONE.steps[0]) for notes in (one, other)] == [None, None]  # both have listed the notes by now

    assert [notes.begin(ALONE.steps[0]) for notes in (one, other)] == [1, 2]


def test_a_voided_attempt_is_given_back(results: FakeBucket) -> None:
    for delivery in range(2, 12):
        notes = Attempts(task(ALONE), delivery, results)
        attempt = notes.begin(ALONE.steps[0])
        assert attempt == delivery - 1
        notes.void(ALONE.steps[0], attempt, "the bucket is unavailable")

    assert [begin(ALONE, delivery, results) for delivery in (12, 13, 14, 15)] == [11, 12, 13, None]


def test_a_voided_first_delivery_is_given_back(results: FakeBucket) -> None:
    Attempts(task(ALONE), 1, results).void(ALONE.steps[0], 1, "the bucket is unavailable")

    assert [begin(ALONE, delivery, results) for delivery in (2, 3, 4, 5)] == [2, 3, 4, None]


def test_nothing_is_given_back_for_a_delivery_that_was_no_attempt(results: FakeBucket) -> None:
    notes, one = Attempts(task(PAIR), 1, results), PAIR.steps[0]
    notes.void(one, 0, "the bucket is unavailable")

    assert [begin(PAIR, delivery, results) for delivery in (2, 3, 4, 5)] == [1, 2, 3, None]
    assert Attempts(task(PAIR), 2, results).last_error(one) == KILLED
    assert error_of(results, task(PAIR), "a") == "the bucket is unavailable"


def test_a_burial_reads_the_notes_again(results: FakeBucket) -> None:
    slow, one = Attempts(task(ALONE), 5, results), ALONE.steps[0]
    assert [begin(ALONE, delivery, results) for delivery in (2, 3, 4)] == [1, 2, 3]
    assert slow.done(one) is None  # the notes are listed now
    Attempts(task(ALONE), 3, results).void(one, 3, "the bucket is unavailable")

    assert slow.begin(one) == 4


def test_after_many_voids_few_deliveries_claim_an_attempt(results: FakeBucket) -> None:
    one = ALONE.steps[0]
    for delivery in range(2, 2002):
        notes = Attempts(task(ALONE), delivery, results)
        attempt = notes.begin(one)
        assert attempt is not None
        notes.void(one, attempt, "the bucket is unavailable")
    names = list(results.names("attempts/"))

    assert FREE_VOIDS < len(names) / 2 < 60


def after_an_outage(deliveries: int, results: FakeBucket) -> None:
    """Void the attempts of deliveries 2 to this number."""
    for delivery in range(2, deliveries + 1):
        notes = Attempts(task(ALONE), delivery, results)
        notes.void(ALONE.steps[0], notes.begin(ALONE.steps[0]) or 0, "the bucket is unavailable")


def test_a_killer_is_buried_as_soon_as_its_attempts_are_used_up(results: FakeBucket) -> None:
    after_an_outage(201, results)
    attempts = [begin(ALONE, delivery, results) for delivery in range(202, 400)]

    assert len({number for number in attempts if number}) == 3
    assert attempts.index(None) == 332 - 202
    assert set(attempts[332 - 202 :]) == {None}


def test_a_delivery_that_claimed_no_attempt_gives_none_back(results: FakeBucket) -> None:
    after_an_outage(FREE_VOIDS + 1, results)
    assert begin(ALONE, 23, results) == FREE_VOIDS + 1  # killed
    notes = Attempts(task(ALONE), 24, results)

    attempt = notes.begin(ALONE.steps[0])
    notes.void(ALONE.steps[0], attempt or 0, "the bucket is unavailable")

    assert attempt == 0
    assert [begin(ALONE, delivery, results) for delivery in (29, 36, 37)] == [FREE_VOIDS + 2, FREE_VOIDS + 3, None]


def test_a_result_is_kept_for_later_deliveries(results: FakeBucket) -> None:
    one, ended = PAIR.steps[0], Result("a", "a-0", "succeeded", attempt=1, facts={"width_px": 640})
    Attempts(task(PAIR), 2, results).end(one, ended)

    assert Attempts(task(PAIR), 3, results).done(one) == ended
    assert Attempts(task(PAIR), 3, results).done(PAIR.steps[1]) is None


def test_the_result_that_was_kept_first_stands(results: FakeBucket) -> None:
    first, second = (Result("a", "a-0", "succeeded", attempt=number) for number in (1, 2))
    Attempts(task(PAIR), 2, results).end(PAIR.steps[0], first)

    assert Attempts(task(PAIR), 3, results).end(PAIR.steps[0], second) == first


def test_a_kept_result_that_cannot_be_read_is_retried(results: FakeBucket) -> None:
    one, late = PAIR.steps[0], Attempts(task(PAIR), 3, results)
    Attempts(task(PAIR), 2, results).end(one, Result("a", "a-0", "succeeded"))
    results.hidden_once.add(f"{attempts.folder(task(PAIR))}a/done")

    with pytest.raises(Unavailable, match="step a exists but cannot be read"):
        late.done(one)


def test_the_last_error_is_that_of_the_last_attempt(results: FakeBucket) -> None:
    one = ALONE.steps[0]
    for delivery in (1, 2):
        notes = Attempts(task(ALONE), delivery, results)
        notes.error(one, notes.begin(one) or 0, f"error {delivery}")

    assert Attempts(task(ALONE), 3, results).last_error(one) == "error 2"
    begin(ALONE, 3, results)
    assert Attempts(task(ALONE), 4, results).last_error(one) == KILLED


def test_a_swept_task_counts_anew(results: FakeBucket) -> None:
    swept = task(ALONE, sweep=2)
    for delivery in (2, 3, 4):
        begin(ALONE, delivery, results)

    assert [begin(swept, delivery, results) for delivery in (1, 2, 3, 4, 5)] == [1, 1, 2, 3, None]
    assert begin(task(ALONE, sweep=3), 2, results) == 1


def test_a_swept_task_has_errors_of_its_own_and_the_results_of_all(results: FakeBucket) -> None:
    one, swept = ALONE.steps[0], task(ALONE, sweep=1)
    Attempts(task(ALONE), 1, results).error(one, 1, "the first life")
    Attempts(swept, 1, results).error(one, 1, "the second life")
    Attempts(task(ALONE), 2, results).end(one, Result("a", "a-0", "succeeded"))

    assert Attempts(swept, 2, results).last_error(one) == "the second life"
    assert Attempts(swept, 2, results).done(one) == Result("a", "a-0", "succeeded")


def test_notes_are_named_by_run_plan_place_and_step(results: FakeBucket) -> None:
    for whole in (task(ALONE), task(ALONE, run=2, sweep=3)):
        begin(whole, 2, results)

    job = "lxl7ns75i36nil4qpyimr2t7nq-1700000000000001"
    assert list(results.names("")) == [
        f"attempts/{job}-{ALONE.plan8}-0-q1/a/1-begun",
        f"attempts/{job}-r2-{ALONE.plan8}-0-q1/a/s3-1-begun",
    ]


def test_tasks_and_steps_never_share_notes(results: FakeBucket) -> None:
    other = plan(step("a", attempts=3, flavour="x"))
    twins = plan(step("a", attempts=3), step("a-b", attempts=3))
    begin(ALONE, 2, results)
    begin(twins, 2, results, "a-b")

    assert begin(other, 2, results) == 1
    assert begin(task(ALONE, file=replace(task(ALONE).file, generation=8)), 2, results) == 1
    assert begin(twins, 3, results, "a") == 1


def test_a_note_that_cannot_be_written_raises_nothing(results: FakeBucket) -> None:
    notes, one = Attempts(task(ALONE), 1, results), ALONE.steps[0]
    notes.error(one, 1, "the first")
    notes.error(one, 1, "the same attempt again")
    results.broken = {"create"}
    notes.void(one, 1, "lost")
    notes.error(one, 2, "lost")

    assert error_of(results, task(ALONE), "a") == "the first"


def test_no_attempt_begins_that_cannot_be_counted(results: FakeBucket) -> None:
    results.broken = {"create"}

    with pytest.raises(Unavailable):
        begin(ALONE, 2, results)


def test_the_latest_error_of_each_step_can_be_listed(results: FakeBucket) -> None:
    for delivery in range(2, 13):
        notes = Attempts(task(PAIR), delivery, results)
        notes.void(PAIR.steps[0], delivery - 1, f"delivery {delivery}")
    Attempts(task(PAIR), 5, results).error(PAIR.steps[1], 1, "division by zero")

    errors = {name: standing.error or {} for name, standing in attempts.standings(results, task(PAIR)).items()}

    assert {name: (note["message"], note["attempt"], note["delivery"]) for name, note in errors.items()} == {
        "a": ("delivery 12", 11, 12),
        "b": ("division by zero", 1, 5),
    }


def test_the_errors_of_the_latest_sweep_are_listed(results: FakeBucket) -> None:
    Attempts(task(ALONE), 9, results).error(ALONE.steps[0], 9, "the first life")
    Attempts(task(ALONE, sweep=1), 1, results).error(ALONE.steps[0], 1, "the second life")

    assert error_of(results, task(ALONE), "a") == "the second life"
    assert [standing.error for standing in attempts.standings(results, task(PAIR)).values()] == [None, None]


@pytest.mark.parametrize(
    ("steps", "notes", "attempt"),
    [
        (ALONE, [], 1),
        (PAIR, [], 1),
        (ALONE, ["begun"], 1),
        (PAIR, ["begun", "error"], 2),
        (ALONE, ["void", "begun"], 1),
        (PAIR, ["void", "void", "begun"], 1),
    ],
)
def test_the_attempts_that_count_can_be_read(results: FakeBucket, steps: Plan, notes: list[str], attempt: int) -> None:
    for delivery, kind in enumerate(notes, 2):
        begun = Attempts(task(steps), delivery, results)
        number = begun.begin(steps.steps[0])
        if kind != "begun":
            getattr(begun, kind)(steps.steps[0], number, "words")

    assert attempts.standings(results, task(steps))["a"].attempt == attempt
