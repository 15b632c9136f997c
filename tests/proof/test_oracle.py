"""The real handlers and an oracle that sees only the graph agree about every verdict, notice and object."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.proof import drawn, schedules


@given(st.randoms(use_true_random=False))
@settings(max_examples=150, derandomize=True)
def test_every_plan_ends_as_the_oracle_says(draw: Random) -> None:
    plan = drawn.plan(draw)

    assert schedules.differences(plan) == {}
