"""The token bucket of a queue."""

import pytest

from localcloud.tasks.delivery.pace import SLOWEST, Pace

NOW = 1_800_000_000.0


def test_a_full_bucket_lets_a_burst_through_and_then_the_rate() -> None:
    pace = Pace.full(rate=2, burst=10, now=NOW).take(10, NOW)

    assert pace.available(NOW) == 0
    assert pace.wait_seconds(NOW) == pytest.approx(0.5)
    assert pace.available(NOW + 0.5) == 1
    assert pace.available(NOW + 3600) == 10


def test_a_sleeper_finds_the_token_it_was_promised() -> None:
    pace = Pace.full(rate=499.7, burst=100, now=NOW).take(100, NOW)
    for _ in range(1000):
        now = pace.at + pace.wait_seconds(pace.at)
        assert pace.available(now) == 1
        pace = pace.take(1, now)


def test_an_overloaded_target_halves_the_rate_and_a_success_doubles_it() -> None:
    pace = Pace.full(rate=100, burst=10, now=NOW).take(10, NOW)

    slowed = pace.slower(NOW, 0).slower(NOW, 0)

    assert slowed.wait_seconds(NOW) == pytest.approx(4 / 100)
    assert slowed.faster(NOW).faster(NOW).faster(NOW).factor == 1


def test_a_target_that_stays_overloaded_is_still_tried() -> None:
    pace = Pace.full(rate=100, burst=10, now=NOW)
    for _ in range(100):
        pace = pace.slower(NOW, 0)

    assert pace.factor == SLOWEST


def test_retry_after_stops_the_queue_for_its_duration() -> None:
    pace = Pace.full(rate=100, burst=10, now=NOW).slower(NOW, 30).slower(NOW, 5)

    assert pace.available(NOW + 29) == 0
    assert pace.wait_seconds(NOW + 29) == pytest.approx(1)
    assert pace.available(NOW + 30) == 10


def test_new_limits_keep_the_tokens() -> None:
    pace = Pace.full(rate=500, burst=100, now=NOW).take(97, NOW)

    assert pace.limited(rate=1, burst=10, now=NOW).available(NOW) == 3
    assert Pace.full(rate=500, burst=100, now=NOW).limited(rate=1, burst=10, now=NOW).available(NOW) == 10
