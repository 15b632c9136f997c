"""Times in the form of Google's JSON APIs."""

import pytest

from localcloud.clock import rfc3339


@pytest.mark.parametrize(
    ("seconds", "text"), [(1_800_000_000, "2027-01-15T08:00:00.000000Z"), (1_800_000_000.5, "2027-01-15T08:00:00.500000Z")]
)
def test_a_time_has_six_digits_after_the_second_and_the_zone_z(seconds: float, text: str) -> None:
    assert rfc3339(seconds) == text
