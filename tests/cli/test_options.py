"""Options that several commands share."""

from datetime import UTC, datetime, timedelta

import pytest

from cli import options
from cli.times import ago, short

NOW = datetime(2026, 11, 28, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("2h", NOW - timedelta(hours=2)),
        ("3d", NOW - timedelta(days=3)),
        ("1w", NOW - timedelta(weeks=1)),
        ("2026-11-27", datetime(2026, 11, 27, tzinfo=UTC)),
        ("2026-11-27T10:30", datetime(2026, 11, 27, 10, 30, tzinfo=UTC)),
        ("2026-11-27T10:30+01:00", datetime(2026, 11, 27, 9, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_an_age_or_a_date(text: str, time: datetime) -> None:
    assert options.since(text, NOW) == time


@pytest.mark.parametrize("text", ["", "h", "yesterday", "2026-13-01", "-2h", "999999w", "1 h"])
def test_other_texts_are_no_times(text: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        options.since(text, NOW)


@pytest.mark.parametrize(("seconds", "age"), [(0, "0s"), (59, "59s"), (60, "1m"), (7199, "1h"), (86400 * 3, "3d"), (-5, "")])
def test_an_age_has_one_unit(seconds: int, age: str) -> None:
    assert ago((NOW - timedelta(seconds=seconds)).isoformat(), NOW) == age
    assert ago("", NOW) == ""


def test_a_short_time_has_seconds() -> None:
    assert short("2026-11-28T10:30:15.123Z") == "2026-11-28 10:30:15"
