"""A crash at any effect leaves no trace in the final state; `make proof` also tries all pairs."""

import pytest

from tests.proof.crash_points import Points
from tests.proof.shapes import SHAPES, changes


@pytest.mark.parametrize("shape", SHAPES)
def test_a_crash_at_any_effect_ends_in_the_same_state(shape: str) -> None:
    points = Points(SHAPES[shape])

    assert list(points.single()) == []


@pytest.mark.parametrize("shape", SHAPES)
def test_a_repeat_at_any_effect_ends_in_the_same_state(shape: str) -> None:
    points = Points(SHAPES[shape])

    assert list(points.repeats()) == []


@pytest.mark.parametrize("change", changes())
def test_a_change_of_the_configuration_and_a_crash_leave_one_plan(change: str) -> None:
    points = Points(*changes()[change])

    assert list(points.single()) == []
