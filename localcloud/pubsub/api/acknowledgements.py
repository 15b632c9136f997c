"""Acknowledge and ModifyAckDeadline, and the reports of late ids (Pub/Sub: "Exactly-once delivery")."""

from collections.abc import Collection, Iterable
from typing import Any

from localcloud.errors import ApiError
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.messages import Empty, StreamingPullResponse

#: Limit of the ids and reasons in an error. Its details travel in metadata, most often in base64, and channels to an emulator have
#: gRPC's default limit of 8 KB; channels to the real service allow 4 MB.
MAX_NAMED_BYTES = 5600
_OVERHEAD_BYTES = 8  # of one id and its reason
_INVALID = "PERMANENT_FAILURE_INVALID_ACK_ID"
_MESSAGE = (
    "Some acknowledgement ids in the request were invalid. This could be because the acknowledgement ids have expired "
    "or the acknowledgement ids were malformed."
)


async def acknowledge(broker: Broker, request: Any) -> Any:
    """Acknowledge."""
    subscription = broker.subscription(request.subscription)
    ack_ids = _require_ids(request.ack_ids)
    _refuse_too_many(subscription.late(ack_ids))
    late = subscription.acknowledge(ack_ids)
    await broker.committed()
    _refuse(late)
    return Empty()


async def modify_deadline(broker: Broker, request: Any) -> Any:
    """ModifyAckDeadline."""
    subscription = broker.subscription(request.subscription)
    check_deadline(request.ack_deadline_seconds)
    ack_ids = _require_ids(request.ack_ids)
    if request.ack_deadline_seconds == 0:
        _refuse_too_many(subscription.late(ack_ids))
    late = subscription.modify_deadline(ack_ids, request.ack_deadline_seconds)
    if subscription.message.enable_exactly_once_delivery:
        _refuse(late)
    return Empty()


def check_deadline(lease_seconds: int) -> None:
    """Raise `ApiError` (INVALID_ARGUMENT) for a deadline outside 0 to 600 seconds; 0 returns the message."""
    if not 0 <= lease_seconds <= 600:
        message = f"Invalid ack deadline given (ack_deadline_seconds={lease_seconds}): it must be between 0 and 600."
        raise ApiError("INVALID_ARGUMENT", message)


def acknowledge_confirmation(ack_ids: list[str], invalid: Collection[str]) -> Any:
    """The confirmation of acknowledgements in a stream."""
    answer = StreamingPullResponse()
    _confirm(answer.acknowledge_confirmation, ack_ids, invalid)
    return answer


def deadline_confirmation(ack_ids: list[str], invalid: Collection[str]) -> Any:
    """The confirmation of changed deadlines in a stream."""
    answer = StreamingPullResponse()
    _confirm(answer.modify_ack_deadline_confirmation, ack_ids, invalid)
    return answer


def _confirm(confirmation: Any, ack_ids: list[str], invalid: Collection[str]) -> None:
    confirmation.ack_ids.extend(ack_id for ack_id in ack_ids if ack_id not in invalid)
    confirmation.invalid_ack_ids.extend(invalid)


def _require_ids(ack_ids: Iterable[str]) -> list[str]:
    required = list(ack_ids)
    if not required:
        raise ApiError("INVALID_ARGUMENT", "No ack ids specified.")
    return required


def _refuse(invalid: Collection[str]) -> None:
    """Raise INVALID_ARGUMENT naming the ids without effect, if any; the request's other ids took effect."""
    _refuse_too_many(invalid)
    if invalid:
        raise _refusal("INVALID_ARGUMENT", invalid)


def _refuse_too_many(invalid: Collection[str]) -> None:
    """Raise RESOURCE_EXHAUSTED when one error cannot name all invalid ids; clients retry the other ids.

    Call it before any id takes effect: an id that took effect would be late in the retry.
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
