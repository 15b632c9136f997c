"""A crash at any effect leaves no trace in the final state; `make proof` also tries all pairs."""

import pytest

from tests.proof.crash_points import Points
from tests.proof.shapes import SHAPES


@pytest.mark.parametrize("shape", SHAPES)
def test_a_crash_at_any_effect_ends_in_the_same_state(shape: str) -> None:
    points = Points(SHAPES[shape])

    assert list(points.single()) == []


@pytest.mark.parametrize("shape", SHAPES)
def test_a_repeat_at_any_effect_ends_in_the_same_state(shape: str) -> None:
    points = Points(SHAPES[shape])

    assert list(points.repeats()) == []
