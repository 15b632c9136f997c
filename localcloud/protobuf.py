"""Google's protobuf messages: from and to JSON, copies, and their times as numbers."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message

from localcloud.errors import ApiError

M = TypeVar("M", bound=Message)


def fill(message: M, content: dict[str, Any], source: str = "JSON payload") -> M:
    """Set the message's fields from JSON values.

    Raises `ApiError` (INVALID_ARGUMENT) for unknown fields and wrong types; `source` names the values in its message.
    """
    try:
        return json_format.ParseDict(content, message)
    except (json_format.ParseError, OverflowError) as error:  # OverflowError: an enum of 1e999
        raise ApiError("INVALID_ARGUMENT", f"Invalid {source} received. {error}") from None


def to_json(reply: Message | Mapping[str, Any], query: Mapping[str, str]) -> bytes:
    """A reply as JSON; `$alt=json;enum-encoding=int` in the query asks for enums as numbers."""
    if isinstance(reply, Message):
        integers = "enum-encoding=int" in query.get("$alt", query.get("alt", ""))
        reply = json_format.MessageToDict(reply, use_integers_for_enums=integers)
    return json.dumps(reply).encode()


def copy(message: M) -> M:
    """A separate message with the same content."""
    twin = type(message)()
    twin.CopyFrom(message)
    return twin


def seconds(field: Any) -> float:
    """A Duration, or a Timestamp since the epoch, in seconds."""
    return float(field.seconds + field.nanos / 1e9)


def microseconds(timestamp: Any) -> int:
    """A Timestamp in microseconds since the epoch."""
    return int(timestamp.seconds * 1_000_000 + timestamp.nanos // 1000)


def set_time(field: Any, seconds: float) -> None:
    """Set a Timestamp field, truncated to microseconds as Google's APIs do."""
    field.FromMicroseconds(int(seconds * 1_000_000))


def rfc3339_milliseconds(timestamp: Any, zone: str = "Z") -> str:
    """A Timestamp as Pub/Sub writes publish times: `2027-01-15T08:00:00.123Z`."""
    moment = datetime.fromtimestamp(seconds(timestamp), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", zone)
