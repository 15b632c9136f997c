"""Google's own message classes for Cloud Tasks v2, and JSON from and to them."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from google.cloud.tasks_v2 import types
from google.iam.v1 import iam_policy_pb2
from google.protobuf import json_format
from google.protobuf.message import Message

from localcloud.errors import ApiError

# The plain protobuf classes: proto-plus wrappers cost ten times as much per field.
CreateTaskRequest: Any = types.CreateTaskRequest.pb()
ListQueuesResponse: Any = types.ListQueuesResponse.pb()
ListTasksResponse: Any = types.ListTasksResponse.pb()
Queue: Any = types.Queue.pb()
RetryConfig: Any = types.RetryConfig.pb()
SetIamPolicyRequest: Any = iam_policy_pb2.SetIamPolicyRequest
Task: Any = types.Task.pb()
TestIamPermissionsRequest: Any = iam_policy_pb2.TestIamPermissionsRequest

# The plain enums are numbers, and so are these (task.proto, Task.View; queue.proto, Queue.State).
BASIC, FULL = 1, 2
RUNNING, PAUSED = 1, 2

M = TypeVar("M", bound=Message)


def parse(body: bytes, message: M) -> M:
    """Fill the message from a JSON body; anything it does not know is refused, as Google's front end does."""
    try:
        return json_format.ParseDict(parse_json(body), message)
    except (json_format.ParseError, OverflowError) as error:  # an enum of 1e999
        raise ApiError("INVALID_ARGUMENT", f"Invalid JSON payload received. {error}") from None


def parse_json(body: bytes) -> dict[str, Any]:
    """A JSON object; an empty body is an empty object."""
    try:
        text = body.decode() or "{}"
        content = json.loads(text)
        if "\\u" in text:
            # Half a surrogate pair is JSON, but no text; protobuf breaks on it.
            json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ApiError("INVALID_ARGUMENT", f"Invalid JSON payload received. {error}") from None
    if not isinstance(content, dict):
        raise ApiError("INVALID_ARGUMENT", "Invalid JSON payload received. An object was expected.")
    return content


def to_json(reply: Message | dict[str, Any], query: Mapping[str, str]) -> bytes:
    """The body of an answer; `$alt=json;enum-encoding=int` asks for enums as numbers."""
    if isinstance(reply, Message):
        integers = "enum-encoding=int" in query.get("$alt", query.get("alt", ""))
        reply = json_format.MessageToDict(reply, use_integers_for_enums=integers)
    return json.dumps(reply).encode()


def copy(message: M) -> M:
    """A message of its own with the same content."""
    twin = type(message)()
    twin.CopyFrom(message)
    return twin


def set_time(field: Any, seconds: float) -> None:
    """Write a Timestamp field, truncated to the microsecond as the API does."""
    field.FromMicroseconds(int(seconds * 1_000_000))


def seconds(field: Any) -> float:
    """A Timestamp or Duration field in seconds."""
    return float(field.seconds + field.nanos / 1e9)
