"""Values that all viewers see are made once, and again when they are too old."""

from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from shared.console.recent import Recent
from shared.errors import Unavailable
from tests.eventually import eventually


class Clock:
    now = 100.0
    asked = 0

    def __call__(self) -> float:
        self.asked += 1
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_value_is_made_again_at_its_age(clock: Clock) -> None:
    recent, made = Recent(5, clock), iter(range(9))
    seen = []
    for clock.now in (100, 104.9, 105, 109, 110):
        seen.append(recent.get("key", lambda: next(made)))

    assert seen == [0, 0, 1, 1, 2]


def test_a_value_may_have_an_age_of_its_own(clock: Clock) -> None:
    recent, made = Recent(5, clock), iter([10, 20, 30])
    seen = []
    for clock.now in (100, 109, 110, 129, 130):
        seen.append(recent.get("key", lambda: next(made), lambda value: value))

    assert seen == [10, 10, 20, 20, 30]


def test_an_error_is_not_kept(clock: Clock) -> None:
    recent = Recent(5, clock)
    with pytest.raises(ZeroDivisionError):
        recent.get("key", lambda: 1 // 0)

    assert recent.get("key", lambda: 1) == 1


def test_viewers_who_wait_through_an_outage_share_its_error(clock: Clock) -> None:
    recent, calls = Recent(5, clock), []

    def fail() -> None:
        calls.append(1)
        if len(calls) == 1:  # another viewer asks meanwhile, and waits
            before = clock.asked
            others.append(pool.submit(recent.get, "key", fail))
            eventually(lambda: clock.asked > before)
        clock.now += 10
        raise Unavailable("down")

    others: list[Future[None]] = []
    with ThreadPoolExecutor(1) as pool, pytest.raises(Unavailable):
        recent.get("key", fail)

    assert isinstance(others[0].exception(), Unavailable)
    assert len(calls) == 1
    assert recent.get("key", lambda: 1) == 1, "the next viewer asks again"


def test_the_values_used_longest_ago_go_first(clock: Clock) -> None:
    recent = Recent(5, clock, most=2)
    for key in ("a", "b", "a", "c"):
        recent.get(key, lambda: 0)

    assert [recent.get(key, lambda: 1) for key in ("a", "c", "b")] == [0, 0, 1]


def test_an_action_makes_all_of_them_again(clock: Clock) -> None:
    recent = Recent(5, clock)
    recent.get("key", lambda: 0)
    recent.forget()

    assert recent.get("key", lambda: 1) == 1
