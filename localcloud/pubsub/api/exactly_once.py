"""What consumers are told of acknowledgements that came too late (Pub/Sub: "Exactly-once delivery", handling failures)."""

from collections.abc import Collection
from typing import Any

from localcloud.errors import ApiError
from localcloud.pubsub.messages import StreamingPullResponse

_MESSAGE = (
    "Some acknowledgement ids in the request were invalid. This could be because the acknowledgement ids have expired "
    "or the acknowledgement ids were malformed."
)


_INVALID = "PERMANENT_FAILURE_INVALID_ACK_ID"
#: Details of errors travel in metadata. The service's own channels take 4 MB of it, but those that clients open to an emulator
#: have gRPC's default of 8 KB, and most write it in base64.
MAX_NAMED_BYTES = 5600
_OVERHEAD_BYTES = 8  # of one id and what became of it


def refuse(invalid: Collection[str]) -> None:
    """Raise INVALID_ARGUMENT naming the ids that did nothing, if there are any; the others in the request counted."""
    refuse_too_many(invalid)
    if invalid:
        raise _refusal("INVALID_ARGUMENT", invalid)


def refuse_too_many(invalid: Collection[str]) -> None:
    """Raise RESOURCE_EXHAUSTED if one answer cannot name all, naming as many as it can: clients try the others again.

    To be called before anything is done: what counted would not count when it is tried again.
    """
    named = list(invalid)[: _room(invalid)]
    if len(named) < len(invalid):
        raise _refusal("RESOURCE_EXHAUSTED", named)


def _room(invalid: Collection[str]) -> int:
    longest = max(map(len, invalid), default=0)
    return MAX_NAMED_BYTES // (longest + len(_INVALID) + _OVERHEAD_BYTES)


def _refusal(status: str, named: Collection[str]) -> ApiError:
    failures = dict.fromkeys(named, _INVALID)
    reason = {"reason": "EXACTLY_ONCE_ACKID_FAILURE", "domain": "pubsub.googleapis.com", "metadata": failures}
    return ApiError(status, _MESSAGE, [{"@type": "type.googleapis.com/google.rpc.ErrorInfo"} | reason])


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
