"""What may be published (Pub/Sub: "Quotas and limits")."""

from typing import Any

from localcloud.errors import ApiError

MAX_REQUEST_BYTES = 10_000_000
MAX_MESSAGES = 1000
MAX_ATTRIBUTES = 100
MAX_KEY_BYTES = 256
MAX_VALUE_BYTES = 1024
MAX_ORDERING_KEY_BYTES = 1024


def check(request: Any) -> None:
    """Refuse a publish request that Pub/Sub would refuse, with INVALID_ARGUMENT."""
    _require(0 < len(request.messages) <= MAX_MESSAGES, f"A request must contain 1 to {MAX_MESSAGES} messages")
    _require(request.ByteSize() <= MAX_REQUEST_BYTES, f"Request payload size exceeds the limit: {MAX_REQUEST_BYTES} bytes")
    for message in request.messages:
        # Most messages are nothing but data.
        if message.attributes or message.ordering_key or not message.data:
            _check_message(message)


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
    # UTF-8 needs at most four bytes for a character, so most need no encoding.
    if len(key) * 4 > MAX_KEY_BYTES:
        _require(len(key.encode()) <= MAX_KEY_BYTES, f"The attribute key is longer than {MAX_KEY_BYTES} bytes: {key[:40]}")
    if len(value) * 4 > MAX_VALUE_BYTES:
        is_short = len(value.encode()) <= MAX_VALUE_BYTES
        _require(is_short, f'The value of attribute "{key[:40]}" is longer than {MAX_VALUE_BYTES} bytes')


def _require(condition: object, message: str) -> None:
    if not condition:
        raise ApiError("INVALID_ARGUMENT", f"{message}.")
