"""Messages: limits of a publish request (Pub/Sub: "Quotas and limits"), and the form of a dead letter."""

from typing import Any

from localcloud.errors import ApiError
from localcloud.protobuf import rfc3339_milliseconds
from localcloud.pubsub.messages import PubsubMessage
from localcloud.pubsub.rules import names

MAX_REQUEST_BYTES = 10_000_000
MAX_MESSAGES = 1000
MAX_ATTRIBUTES = 100
MAX_KEY_BYTES = 256
MAX_VALUE_BYTES = 1024
MAX_ORDERING_KEY_BYTES = 1024


def check_publish(request: Any, size: int) -> None:
    """Raise INVALID_ARGUMENT for a publish request over a limit; `size` is that of the whole, in bytes."""
    _require(0 < len(request.messages) <= MAX_MESSAGES, f"A request must contain 1 to {MAX_MESSAGES} messages")
    _require(size <= MAX_REQUEST_BYTES, f"Request payload size exceeds the limit: {MAX_REQUEST_BYTES} bytes")
    for message in request.messages:
        # Most messages have only data, which needs no further check: this runs for every message.
        if message.attributes or message.ordering_key or not message.data:
            _check_message(message)


def dead_letter(message: Any, subscription: str, attempts: int) -> Any:
    """The message for the dead-letter topic: the same content, its subscription and attempts as attributes."""
    letter = PubsubMessage(data=message.data, attributes=message.attributes, ordering_key=message.ordering_key)
    source = {
        "DeliveryCount": str(attempts),
        "Subscription": names.last(subscription),
        "SubscriptionProject": names.project(subscription),
        "TopicPublishTime": rfc3339_milliseconds(message.publish_time, "+00:00"),
    }
    for key, value in source.items():
        letter.attributes[f"CloudPubSubDeadLetterSource{key}"] = value
    return letter


def _check_message(message: Any) -> None:
    attributes = message.attributes
    some = message.data or attributes
    _require(some, "Some messages in the batch must have either non-empty data or at least one attribute")
    _require(len(attributes) <= MAX_ATTRIBUTES, f"A message has more than {MAX_ATTRIBUTES} attributes")
    if message.ordering_key:
        size = len(message.ordering_key.encode())
        _require(size <= MAX_ORDERING_KEY_BYTES, f"The ordering key is longer than {MAX_ORDERING_KEY_BYTES} bytes")
    for key, value in attributes.items() if attributes else ():
        _check_attribute(key, value)


def _check_attribute(key: str, value: str) -> None:
    _require(key, "An attribute key is empty")
    _require(not key.startswith("goog"), f'The attribute key "{key[:40]}" starts with the reserved "goog"')
    # A character has at most four bytes in UTF-8, so short texts need not be encoded.
    if len(key) * 4 > MAX_KEY_BYTES:
        _require(len(key.encode()) <= MAX_KEY_BYTES, f"The attribute key is longer than {MAX_KEY_BYTES} bytes: {key[:40]}")
    if len(value) * 4 > MAX_VALUE_BYTES:
        is_short = len(value.encode()) <= MAX_VALUE_BYTES
        _require(is_short, f'The value of attribute "{key[:40]}" is longer than {MAX_VALUE_BYTES} bytes')


def _require(condition: object, message: str) -> None:
    if not condition:
        raise ApiError("INVALID_ARGUMENT", f"{message}.")
