"""Batches: the messages of one publish request, as one serialized PublishRequest on disk and in memory.

A message's id and publish time follow from its place in the batch. They are set when the message is read, which makes
publishing cheaper.
"""

from collections.abc import Callable
from itertools import count, repeat
from operator import attrgetter, methodcaller
from typing import Any

from localcloud.pubsub.messages import PublishRequest
from localcloud.pubsub.model import Batch, Message

#: Size limit of the serialized batches in memory: the newest ones; older ones are read from disk.
CACHE_BYTES = 16 << 20
#: Limit of parsed batches in memory: several subscriptions may read different batches at the same time.
MAX_PARSED = 4

_size, _ordering_key = methodcaller("ByteSize"), attrgetter("ordering_key")


def parse(body: bytes) -> Any:
    """The PubsubMessages of a serialized batch."""
    return PublishRequest.FromString(body).messages


def messages(batch: Batch, contents: Any) -> list[Message]:
    """The messages of a batch without their contents."""
    return list(map(Message, count(batch.id), map(_size, contents), map(_ordering_key, contents), repeat(batch)))


class BatchCache:
    """The contents of all messages. `read` loads a serialized batch that is not in memory, by its id."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._bodies: dict[int, bytes] = {}
        self._cached_bytes = 0
        self._parsed: dict[int, Any] = {}

    def add(self, batch_id: int, body: bytes) -> None:
        """Cache a new serialized batch."""
        self._bodies[batch_id] = body
        self._cached_bytes += len(body)
        while self._cached_bytes > CACHE_BYTES:
            self._cached_bytes -= len(self._bodies.pop(next(iter(self._bodies))))

    def remove(self, batch_id: int) -> None:
        """Remove a batch from memory."""
        self._cached_bytes -= len(self._bodies.pop(batch_id, b""))
        self._parsed.pop(batch_id, None)

    def content(self, message: Message) -> Any:
        """The PubsubMessage with id and publish time. Copy it before changing it."""
        content = self.contents(message.batch.id)[message.id - message.batch.id]
        content.message_id = str(message.id)
        content.publish_time.FromMicroseconds(message.published_microseconds)
        return content

    def contents(self, batch_id: int) -> Any:
        """The PubsubMessages of a batch, without their ids and times."""
        parsed = self._parsed.get(batch_id)
        if parsed is None:
            parsed = parse(self._bodies.get(batch_id) or self._read(batch_id))
            if len(self._parsed) == MAX_PARSED:
                del self._parsed[next(iter(self._parsed))]
            self._parsed[batch_id] = parsed
        return parsed
