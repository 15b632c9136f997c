"""A crash at any effect leaves no trace in the final state; `make proof` also tries all pairs."""

import pytest

from tests.proof.crash_points import Points
from tests.proof.shapes import PLANS
from tests.proof.shapes_of_runs import all_shapes


@pytest.mark.parametrize("shape", all_shapes())
def test_a_crash_at_any_effect_ends_in_the_same_state(shape: str) -> None:
    points = Points(all_shapes()[shape])

    assert list(points.single()) == []


@pytest.mark.parametrize("shape", PLANS)
def test_a_repeat_at_any_effect_ends_in_the_same_state(shape: str) -> None:
    points = Points(all_shapes()[shape])

    assert list(points.repeats()) == []


def test_a_file_that_is_cancelled_at_any_effect_ends_once() -> None:
    points = Points(all_shapes()["cancel-one-task"])

    assert list(points.pairs()) == []
