"""A crash at any effect leaves no trace in the final state; `make proof` also tries all pairs."""

from collections.abc import Iterable
from typing import Any

import pytest

from tests.proof.crash_points import Points
from tests.proof.shapes import PLANS
from tests.proof.shapes_of_runs import all_shapes

#: Shapes with the most effects; the others have each of their parts.
LONG = {
    "several-steps-with-attempts",
    "unavailable-for-a-while",
    "diamond-with-a-condition",
    "forks-around-a-join",
    "cancelled-with-adoption",
    "again-after-a-cancelled-run",
}


def marked(shapes: Iterable[str]) -> list[Any]:
    return [pytest.param(shape, marks=pytest.mark.long) if shape in LONG else shape for shape in shapes]


@pytest.mark.failure("T10", "T11")
@pytest.mark.parametrize("shape", marked(all_shapes()))
def test_a_crash_at_any_effect_ends_in_the_same_state(shape: str) -> None:
    points = Points(all_shapes()[shape])

    assert list(points.single()) == []


@pytest.mark.failure("T22")
@pytest.mark.parametrize("shape", marked(PLANS))
def test_a_repeat_at_any_effect_ends_in_the_same_state(shape: str) -> None:
    points = Points(all_shapes()[shape])

    assert list(points.repeats()) == []


def test_a_file_that_is_cancelled_at_any_effect_ends_once() -> None:
    points = Points(all_shapes()["cancel-one-task"])

    assert list(points.pairs()) == []
