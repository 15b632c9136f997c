"""Shares of a batch as the columns of their row."""

import json
from collections.abc import Iterable

from localcloud.pubsub.model import Share


def bits(places: Iterable[int]) -> int:
    """A number whose bits at these places are set."""
    if isinstance(places, range):
        return (1 << places.stop) - (1 << places.start)
    return sum(1 << place for place in places)


def pack(share: Share) -> tuple[bytes, str]:
    """The stored form of places and attempts."""
    places = share.places.to_bytes(share.places.bit_length() // 8 + 1, "little")
    return places, json.dumps(share.attempts) if share.attempts else ""


def unpack(places: bytes, attempts: str) -> Share:
    """Read the stored form."""
    counted = json.loads(attempts) if attempts else {}
    return Share(int.from_bytes(places, "little"), {int(place): count for place, count in counted.items()})
