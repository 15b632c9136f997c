"""The queues of webhooks go on for three days, at pauses from seconds to an hour; then the notifier gives up."""

import itertools
from datetime import timedelta

from google.cloud import tasks_v2

from localcloud.tasks.delivery import retry
from shared.routes import Webhook
from shared.webhooks.attempts import GIVE_UP_SECONDS

RATES = Webhook("orders", "https://orders.test/", "secret-manager:orders").rates
#: As the local stack and deploy.sh create every queue.
CONFIG = tasks_v2.RetryConfig.pb(
    tasks_v2.RetryConfig(
        max_attempts=100,
        max_retry_duration=timedelta(days=7),
        min_backoff=timedelta(seconds=RATES.min_backoff_seconds),
        max_backoff=timedelta(seconds=RATES.max_backoff_seconds),
        max_doublings=16,
    )
)


def attempts() -> list[float]:
    """Seconds of each attempt at a receiver that always fails, until the notifier gives up."""
    times = [0.0]
    while times[-1] < GIVE_UP_SECONDS:
        assert not retry.is_used_up(CONFIG, len(times), times[-1]), "Cloud Tasks deletes the task before the notifier gives up"
        times.append(times[-1] + retry.backoff_seconds(CONFIG, len(times)))
    return times


def test_a_task_is_tried_for_three_days() -> None:
    times = attempts()

    assert [later - earlier for earlier, later in itertools.pairwise(times)][:11] == [
        *(5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560),
        3600,
    ]
    assert 259_200 <= times[-1] < 259_200 + 3600
    assert len(times) == RATES.attempts == 82


def test_the_queue_has_the_name_of_its_webhook() -> None:
    assert (RATES.name, RATES.max_concurrent_dispatches) == ("webhook-orders", 10)
