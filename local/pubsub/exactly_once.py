"""What consumers are told of acknowledgements that came too late (Pub/Sub: "Exactly-once delivery", handling failures)."""

from collections.abc import Collection
from typing import Any

from local.errors import ApiError
from local.pubsub.messages import StreamingPullResponse

_MESSAGE = (
    "Some acknowledgement ids in the request were invalid. This could be because the acknowledgement ids have expired "
    "or the acknowledgement ids were malformed."
)


def refuse(invalid: Collection[str]) -> None:
    """Raise INVALID_ARGUMENT naming the ids that did nothing, if there are any; the others in the request counted."""
    if not invalid:
        return
    failures = dict.fromkeys(invalid, "PERMANENT_FAILURE_INVALID_ACK_ID")
    reason = {"reason": "EXACTLY_ONCE_ACKID_FAILURE", "domain": "pubsub.googleapis.com", "metadata": failures}
    raise ApiError("INVALID_ARGUMENT", _MESSAGE, [{"@type": "type.googleapis.com/google.rpc.ErrorInfo"} | reason])


def acknowledged(ack_ids: list[str], invalid: Collection[str]) -> Any:
    """The answer of a stream to acknowledgements."""
    answer = StreamingPullResponse()
    _fill(answer.acknowledge_confirmation, ack_ids, invalid)
    return answer


def modified(ack_ids: list[str], invalid: Collection[str]) -> Any:
    """The answer of a stream to changed deadlines."""
    answer = StreamingPullResponse()
    _fill(answer.modify_ack_deadline_confirmation, ack_ids, invalid)
    return answer


def _fill(confirmation: Any, ack_ids: list[str], invalid: Collection[str]) -> None:
    confirmation.ack_ids.extend(ack_id for ack_id in ack_ids if ack_id not in invalid)
    confirmation.invalid_ack_ids.extend(invalid)
