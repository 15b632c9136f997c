"""Subscriptions: checks, defaults and retry delays (google/pubsub/v1/pubsub.proto, message Subscription)."""

from typing import Any
from urllib.parse import urlsplit

from localcloud.errors import ApiError
from localcloud.protobuf import copy, seconds
from localcloud.pubsub.messages import ACTIVE
from localcloud.pubsub.rules import masks, names
from localcloud.pubsub.rules.filters import parse_filter

DAY_SECONDS = 86_400
# Without a retry policy, Pub/Sub delays pushes to a failing endpoint by 100 ms to 60 s ("Push backoff").
PUSH_MIN_BACKOFF_SECONDS = 0.1
PUSH_MAX_BACKOFF_SECONDS = 60.0

MUTABLE = (
    "push_config",
    "ack_deadline_seconds",
    "retain_acked_messages",
    "message_retention_duration",
    "labels",
    "expiration_policy",
    "dead_letter_policy",
    "retry_policy",
    "enable_exactly_once_delivery",
    "bigquery_config",
    "cloud_storage_config",
    "bigtable_config",
    "message_transforms",
)
UNSUPPORTED = (
    "bigquery_config",
    "cloud_storage_config",
    "bigtable_config",
    "message_transforms",
    "tags",
)
_OUTPUT_ONLY = ("detached", "topic_message_retention_duration", "state", "analytics_hub_subscription_info")


def new(given: Any) -> Any:
    """The subscription to create from a request, with defaults. Raises INVALID_ARGUMENT or UNIMPLEMENTED."""
    names.check(given.name, "subscriptions")
    names.check(given.topic, "topics")
    parse_filter(given.filter)
    subscription = copy(given)
    for field in _OUTPUT_ONLY:
        subscription.ClearField(field)
    subscription.state = ACTIVE
    return _completed(subscription)


def updated(stored: Any, request: Any) -> Any:
    """The subscription after an UpdateSubscriptionRequest. Raises INVALID_ARGUMENT or UNIMPLEMENTED."""
    subscription = masks.merged(stored, request.subscription, request.update_mask, MUTABLE)
    if not subscription.dead_letter_policy.ByteSize() and not request.subscription.HasField("dead_letter_policy"):
        subscription.ClearField("dead_letter_policy")  # a mask may name each of its fields to remove it
    return _completed(subscription)


def with_push_config(stored: Any, push_config: Any) -> Any:
    """The subscription after ModifyPushConfig. An empty configuration makes it a pull subscription."""
    subscription = copy(stored)
    subscription.push_config.CopyFrom(push_config)
    return _completed(subscription)


def retry_delay_seconds(subscription: Any, attempts: int) -> float:
    """Delay before the next attempt: doubles from the retry policy's minimum to its maximum."""
    if subscription.HasField("retry_policy"):
        policy = subscription.retry_policy
        return _doubled(seconds(policy.minimum_backoff), seconds(policy.maximum_backoff), attempts)
    if subscription.push_config.push_endpoint:
        return _doubled(PUSH_MIN_BACKOFF_SECONDS, PUSH_MAX_BACKOFF_SECONDS, attempts)
    return 0.0


def _doubled(minimum: float, maximum: float, attempts: int) -> float:
    # Larger exponents than 1023 overflow a float.
    return float(min(maximum, minimum * 2.0 ** min(max(attempts - 1, 0), 1000)))


def _completed(subscription: Any) -> Any:
    masks.refuse_unsupported(subscription, UNSUPPORTED)
    names.check_labels(subscription.labels)
    subscription.ack_deadline_seconds = subscription.ack_deadline_seconds or 10
    _check_range("ack_deadline_seconds", subscription.ack_deadline_seconds, 10, 600)
    _complete_durations(subscription)
    _complete_retry_policy(subscription)
    _complete_dead_letter_policy(subscription)
    _complete_push_config(subscription)
    return subscription


def _complete_durations(subscription: Any) -> None:
    if not subscription.HasField("message_retention_duration"):
        subscription.message_retention_duration.seconds = 7 * DAY_SECONDS
    retention = seconds(subscription.message_retention_duration)
    _check_range("message_retention_duration", retention, 600, 31 * DAY_SECONDS)
    if not subscription.HasField("expiration_policy"):
        subscription.expiration_policy.ttl.seconds = 31 * DAY_SECONDS
    elif subscription.expiration_policy.HasField("ttl"):
        _check_range("expiration_policy.ttl", seconds(subscription.expiration_policy.ttl), DAY_SECONDS, float("inf"))


def _complete_retry_policy(subscription: Any) -> None:
    if not subscription.HasField("retry_policy"):
        return
    policy = subscription.retry_policy
    if not policy.HasField("minimum_backoff"):
        policy.minimum_backoff.seconds = 10
    if not policy.HasField("maximum_backoff"):
        policy.maximum_backoff.seconds = 600
    _check_range("retry_policy.minimum_backoff", seconds(policy.minimum_backoff), 0, 600)
    _check_range("retry_policy.maximum_backoff", seconds(policy.maximum_backoff), 0, 600)
    if seconds(policy.minimum_backoff) > seconds(policy.maximum_backoff):
        raise ApiError("INVALID_ARGUMENT", "retry_policy.minimum_backoff must not exceed retry_policy.maximum_backoff.")


def _complete_dead_letter_policy(subscription: Any) -> None:
    if not subscription.HasField("dead_letter_policy"):
        return
    policy = subscription.dead_letter_policy
    names.check(policy.dead_letter_topic, "topics")
    policy.max_delivery_attempts = policy.max_delivery_attempts or 5
    _check_range("dead_letter_policy.max_delivery_attempts", policy.max_delivery_attempts, 5, 100)


def _complete_push_config(subscription: Any) -> None:
    config = subscription.push_config
    if not config.push_endpoint:
        subscription.ClearField("push_config")
        subscription.push_config.SetInParent()  # Google shows the empty configuration, and clients read its endpoint
        return
    if not _is_endpoint(config.push_endpoint):
        raise ApiError("INVALID_ARGUMENT", f"Invalid push endpoint given (endpoint={config.push_endpoint}).")
    if config.HasField("oidc_token") and not config.oidc_token.service_account_email:
        raise ApiError("INVALID_ARGUMENT", "push_config.oidc_token.service_account_email must be set.")
    if subscription.enable_exactly_once_delivery:
        raise ApiError("INVALID_ARGUMENT", "Exactly-once delivery is only supported for pull subscriptions.")
    config.attributes.setdefault("x-goog-version", "v1")


def _is_endpoint(url: str) -> bool:
    """Whether it is an http or https URL. Google requires https; loopback traffic needs no encryption."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        message = f"Invalid {name} given: {value:g}. It must be between {low:g} and {high:g}."
        raise ApiError("INVALID_ARGUMENT", message)
