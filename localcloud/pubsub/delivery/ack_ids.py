"""Acknowledgement ids: they name a lease by subscription, message and number."""

from localcloud.errors import ApiError


def ack_id(subscription: int, message: int, lease: int) -> str:
    """The id that consumers get."""
    return f"{subscription:x}-{message:x}-{lease:x}"


def parse(text: str, subscription: int) -> tuple[int, int]:
    """Message and lease; raises INVALID_ARGUMENT for what was never an id of this subscription."""
    try:
        key, message, lease = (int(part, 16) for part in text.split("-"))
    except ValueError:
        key, message, lease = 0, 0, 0
    if key != subscription:
        raise ApiError("INVALID_ARGUMENT", f"You have passed an invalid ack ID to the service (ack_id={text}).")
    return message, lease
