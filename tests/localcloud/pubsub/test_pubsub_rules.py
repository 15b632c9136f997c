"""Rules, retry delays and paging, without a server."""

from typing import Any

import pytest

from localcloud.errors import ApiError
from localcloud.pubsub.api.paging import page
from localcloud.pubsub.delivery.push import MAX_WINDOW, Window
from localcloud.pubsub.messages import Subscription
from localcloud.pubsub.rules import subscriptions as rules

NAMES = {"name": "projects/local-project/subscriptions/sub", "topic": "projects/local-project/topics/top"}


def test_a_bare_subscription_gets_googles_defaults() -> None:
    subscription = rules.new(Subscription(**NAMES))

    assert subscription.ack_deadline_seconds == 10
    assert subscription.message_retention_duration.seconds == 7 * 86_400
    assert subscription.expiration_policy.ttl.seconds == 31 * 86_400
    assert subscription.HasField("push_config")
    assert not subscription.push_config.ListFields()


def test_policies_get_defaults() -> None:
    dead = {"dead_letter_topic": "projects/local-project/topics/dead"}
    subscription = rules.new(Subscription(**NAMES, retry_policy={}, dead_letter_policy=dead))

    assert subscription.retry_policy.minimum_backoff.seconds == 10
    assert subscription.retry_policy.maximum_backoff.seconds == 600
    assert subscription.dead_letter_policy.max_delivery_attempts == 5


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({"name": "sub"}, "INVALID_ARGUMENT"),
        ({"name": "projects/local-project/subscriptions/google"}, "INVALID_ARGUMENT"),
        ({"topic": "top"}, "INVALID_ARGUMENT"),
        ({"ack_deadline_seconds": 9}, "INVALID_ARGUMENT"),
        ({"ack_deadline_seconds": 601}, "INVALID_ARGUMENT"),
        ({"message_retention_duration": {"seconds": 599}}, "INVALID_ARGUMENT"),
        ({"expiration_policy": {"ttl": {"seconds": 60}}}, "INVALID_ARGUMENT"),
        ({"retry_policy": {"minimum_backoff": {"seconds": 601}}}, "INVALID_ARGUMENT"),
        ({"retry_policy": {"minimum_backoff": {"seconds": 9}, "maximum_backoff": {"seconds": 8}}}, "INVALID_ARGUMENT"),
        ({"dead_letter_policy": {"dead_letter_topic": "x"}}, "INVALID_ARGUMENT"),
        ({"push_config": {"push_endpoint": "ftp://x"}}, "INVALID_ARGUMENT"),
        ({"push_config": {"push_endpoint": "http://[::1"}}, "INVALID_ARGUMENT"),
        ({"push_config": {"push_endpoint": "http://x:99999/"}}, "INVALID_ARGUMENT"),
        ({"push_config": {"push_endpoint": "http://x", "oidc_token": {}}}, "INVALID_ARGUMENT"),
        ({"filter": "nonsense"}, "INVALID_ARGUMENT"),
        ({"bigquery_config": {"table": "t"}}, "UNIMPLEMENTED"),
        ({"enable_exactly_once_delivery": True, "push_config": {"push_endpoint": "http://x"}}, "INVALID_ARGUMENT"),
    ],
)
def test_an_invalid_subscription_is_refused(settings: dict[str, Any], status: str) -> None:
    with pytest.raises(ApiError) as refused:
        rules.new(Subscription(**NAMES | settings))

    assert refused.value.status == status


def test_delays_double_from_the_minimum_to_the_maximum() -> None:
    retry = {"minimum_backoff": {"seconds": 10}, "maximum_backoff": {"seconds": 600}}
    subscription = Subscription(retry_policy=retry)

    delays = [rules.retry_delay_seconds(subscription, attempts) for attempts in (1, 2, 3, 6, 7, 8, 10_000)]
    assert delays == [10, 20, 40, 320, 600, 600, 600]


def test_without_a_retry_policy_only_pushes_are_delayed() -> None:
    push = Subscription(push_config={"push_endpoint": "http://x"})

    assert rules.retry_delay_seconds(Subscription(), 5) == 0
    assert [round(rules.retry_delay_seconds(push, attempts), 1) for attempts in (1, 2, 3, 20)] == [0.1, 0.2, 0.4, 60.0]


def test_the_window_doubles_per_round_and_halves_per_failure() -> None:
    window = Window()
    first = window.size
    for _ in range(first):
        window.succeeded()

    assert window.size == 2 * first
    window.failed()
    assert window.size == first
    for _ in range(2 * MAX_WINDOW):
        window.succeeded()
    assert window.size == MAX_WINDOW
    for _ in range(20):
        window.failed()
    assert window.size == 1


def test_a_page_token_leads_to_the_next_page() -> None:
    names = {"c", "a", "b"}
    first, token = page(names, 2, "")

    assert first == ["a", "b"]
    assert page(names, 2, token) == (["c"], "")
    assert page(names, 3, "") == (["a", "b", "c"], "")
