"""Field masks of update requests, and fields that the local Pub/Sub refuses."""

from collections.abc import Collection
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from localcloud.errors import ApiError
from localcloud.protobuf import copy


def merged(stored: Any, given: Any, mask: FieldMask, mutable: Collection[str]) -> Any:
    """The stored message with the masked fields from `given`. Raises INVALID_ARGUMENT for other fields."""
    if not mask.paths:
        raise ApiError("INVALID_ARGUMENT", "The update_mask in the request must be set, and must contain a path.")
    for path in mask.paths:
        if path.split(".")[0] not in mutable:
            raise ApiError("INVALID_ARGUMENT", f"Invalid update_mask provided in the request: {path} cannot be changed.")
    if not mask.IsValidForDescriptor(stored.DESCRIPTOR):
        raise ApiError("INVALID_ARGUMENT", f"Invalid update_mask provided in the request: {', '.join(mask.paths)}.")
    result = copy(stored)
    for path in mask.paths:
        _clear(result, path)  # MergeMessage skips a part of a message that `given` lacks
    mask.MergeMessage(given, result, replace_message_field=True, replace_repeated_field=True)
    return result


def refuse_unsupported(message: Any, names: Collection[str]) -> None:
    """Raise UNIMPLEMENTED naming the first of these fields that the message sets."""
    for field, _ in message.ListFields():
        if field.name in names:
            raise ApiError("UNIMPLEMENTED", f"The local Pub/Sub does not support {message.DESCRIPTOR.name}.{field.name}.")


def _clear(message: Any, path: str) -> None:
    head, _, rest = path.partition(".")
    if not rest:
        message.ClearField(head)
    elif message.HasField(head):
        _clear(getattr(message, head), rest)
