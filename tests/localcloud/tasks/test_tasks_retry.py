"""The retry schedule, against the examples of queue.proto's RetryConfig."""

import pytest

from localcloud.tasks.delivery.retry import backoff_seconds, is_used_up
from localcloud.tasks.messages import Queue


def config(**settings: object) -> object:
    retry = Queue().retry_config
    for name, value in settings.items():
        if name in ("min_backoff", "max_backoff", "max_retry_duration"):
            getattr(retry, name).seconds = value
        else:
            setattr(retry, name, value)
    return retry


def test_the_schedule_is_the_one_of_the_proto() -> None:
    retry = config(min_backoff=10, max_backoff=300, max_doublings=3)

    assert [backoff_seconds(retry, n) for n in range(1, 10)] == [10, 20, 40, 80, 160, 240, 300, 300, 300]


def test_without_doublings_the_pause_grows_evenly() -> None:
    retry = config(min_backoff=10, max_backoff=45, max_doublings=0)

    assert [backoff_seconds(retry, n) for n in range(1, 6)] == [10, 20, 30, 40, 45]


def test_the_pause_never_exceeds_the_ceiling() -> None:
    retry = config(min_backoff=1, max_backoff=3600, max_doublings=2_000_000_000)

    assert backoff_seconds(retry, 1_000_000) == 3600


@pytest.mark.parametrize(
    ("settings", "attempts", "elapsed", "used_up"),
    [
        ({"max_attempts": 3}, 2, 9999, False),
        ({"max_attempts": 3}, 3, 0, True),
        ({"max_attempts": -1}, 100_000, 1e9, False),
        ({"max_attempts": 3, "max_retry_duration": 60}, 3, 59, False),
        ({"max_attempts": 3, "max_retry_duration": 60}, 2, 61, False),
        ({"max_attempts": 3, "max_retry_duration": 60}, 3, 60, True),
        ({"max_attempts": -1, "max_retry_duration": 60}, 1, 59, False),
        ({"max_attempts": -1, "max_retry_duration": 60}, 1, 60, True),
    ],
)
def test_a_task_is_given_up_when_every_set_limit_is_reached(
    settings: dict[str, object], attempts: int, elapsed: float, used_up: bool
) -> None:
    assert is_used_up(config(**settings), attempts, elapsed) is used_up
