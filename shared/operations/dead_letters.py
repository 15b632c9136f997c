"""The dead letters: messages that could not be read, or were delivered too often. Looking at them loses none."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from shared.cloud.protocols import Cloud, Received
from shared.errors import NotFound
from shared.events import Notice
from shared.model import Json

#: Longest wait for the next letters; after it, there are no more.
WAIT_SECONDS = 3
MAX_LETTERS = 1000


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: when it was put aside (RFC 3339), why, and the message as it was first published."""

    id: str
    time: str
    reason: str
    original: Notice

    @property
    def object(self) -> str:
        """The object that the message is about; empty where it names none."""
        return self.original.attributes.get("objectId", "")

    def to_json(self) -> Json:
        data = self.original.data
        shown = {"attributes": dict(self.original.attributes), "data": base64.b64encode(data).decode()}
        return {"id": self.id, "time": self.time, "reason": self.reason, "object": self.object, "bytes": len(data), **shown}


@dataclass(frozen=True, slots=True)
class Replayed:
    """The letters that were published again, and the ids that were not found."""

    letters: tuple[Letter, ...]
    missing: tuple[str, ...]

    def to_json(self) -> Json:
        return {"replayed": [letter.id for letter in self.letters], "missing": list(self.missing)}


def letters(cloud: Cloud, limit: int = MAX_LETTERS) -> tuple[Letter, ...]:
    """The dead letters, oldest first, at most `limit`. Raises `Unavailable`."""
    with _leased(cloud, limit) as found:
        return tuple(map(_letter, found.values()))


def show(letter_id: str, cloud: Cloud) -> Letter:
    """One letter. Raises `NotFound`."""
    with _leased(cloud) as found:
        if letter_id not in found:
            raise NotFound(f"no dead letter {letter_id!r}; it may have been replayed, or have expired after 7 days")
        return _letter(found[letter_id])


def replay(ids: tuple[str, ...], cloud: Cloud) -> Replayed:
    """Publish these letters again as they first came, all of them without an id.

    A letter is taken off only when it is published. If this process is killed in between, it stays and may be replayed twice,
    which does no harm.
    """
    with _leased(cloud) as found:
        chosen = [found[one] for one in dict.fromkeys(ids or found) if one in found]
        for message in chosen:
            cloud.notifications.publish(_letter(message).original)
            cloud.put_aside.acknowledge([message])
    return Replayed(tuple(map(_letter, chosen)), tuple(one for one in ids if one not in found))


@contextmanager
def _leased(cloud: Cloud, limit: int = MAX_LETTERS) -> Iterator[Mapping[str, Received]]:
    """The messages by id, oldest first. Those that are not taken off meanwhile are released on leaving."""
    found: dict[str, Received] = {}
    try:
        while len(found) < limit and (new := {one.id: one for one in cloud.put_aside.pull(WAIT_SECONDS)}):
            is_complete = new.keys() <= found.keys()  # a lease has ended: the subscription starts anew
            found |= new
            if is_complete:
                break
        yield dict(sorted(found.items(), key=lambda item: item[1].published)[:limit])
    finally:
        cloud.put_aside.release(found.values())


def _letter(message: Received) -> Letter:
    attributes = message.attributes
    attempts = attributes.get("CloudPubSubDeadLetterSourceDeliveryCount")
    if attempts:
        source = attributes.get("CloudPubSubDeadLetterSourceSubscription", "")
        reason = f"delivered {attempts} times to {source} without success"
        return Letter(message.id, message.published, reason, _republished(message.data, attributes))
    return Letter(message.id, message.published, attributes.get("reason", ""), _unwrapped(message.data))


def _unwrapped(data: bytes) -> Notice:
    """The message in the JSON of a push, or in that of the dispatcher; else these bytes themselves."""
    try:
        body: Any = json.loads(data)
        body = body.get("message", body)
        return _republished(base64.b64decode(body.get("data") or "", validate=True), body.get("attributes") or {})
    except (ValueError, AttributeError, binascii.Error, TypeError, RecursionError):
        return Notice(data, {})


def _republished(data: bytes, attributes: Mapping[str, Any]) -> Notice:
    """The message without what Pub/Sub added to it. Pub/Sub refuses an empty one, and names of its own."""
    own = ("CloudPubSubDeadLetter", "goog")
    kept = {key: value for key, value in attributes.items() if isinstance(value, str) and not key.startswith(own)}
    return Notice(data if data or kept else b"(empty)", kept)
