"""Batches of messages: what is published together is one serialized PublishRequest, on disk and in memory.

Id and time of a message follow from its place in the batch. They are written into it only when it is read, so that a publish
costs little for each message.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import count, repeat
from operator import attrgetter, methodcaller
from typing import Any

from localcloud.pubsub.messages import PublishRequest
from localcloud.pubsub.model import Batch, Message

#: Bodies of the newest batches kept in memory; older ones are read from disk when their turn comes.
CACHE_BYTES = 16 << 20
#: Several subscriptions may be at work on different batches at a time.
PARSED = 4

_size, _ordering_key = methodcaller("ByteSize"), attrgetter("ordering_key")


def parse(body: bytes) -> Any:
    """The PubsubMessages of a serialized batch."""
    return PublishRequest.FromString(body).messages


def messages(batch: Batch, contents: Any) -> list[Message]:
    """What the broker must know of each message of a batch."""
    return list(map(Message, count(batch.id), map(_size, contents), map(_ordering_key, contents), repeat(batch)))


def runs(messages: Sequence[Message]) -> Iterator[tuple[Message, Message]]:
    """The first and the last of each run of messages that follow one another in one batch; they come in order."""
    first = last = messages[0]
    if messages[-1].id - first.id == len(messages) - 1 and messages[-1].batch is first.batch:
        yield first, messages[-1]
        return
    for message in messages[1:]:
        if message.id != last.id + 1 or message.batch is not last.batch:
            yield first, last
            first = message
        last = message
    yield first, last


class Contents:
    """The PubsubMessages of all batches; `read` gives the body of one that is not in memory."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._bodies: dict[int, bytes] = {}
        self._cached_bytes = 0
        self._parsed: dict[int, Any] = {}

    def add(self, batch_id: int, body: bytes) -> None:
        """Remember a new batch for a while."""
        self._bodies[batch_id] = body
        self._cached_bytes += len(body)
        while self._cached_bytes > CACHE_BYTES:
            self._cached_bytes -= len(self._bodies.pop(next(iter(self._bodies))))

    def remove(self, batch_id: int) -> None:
        """Forget a batch."""
        self._cached_bytes -= len(self._bodies.pop(batch_id, b""))
        self._parsed.pop(batch_id, None)

    def of(self, message: Message) -> Any:
        """The PubsubMessage as consumers get it."""
        content = self._batch(message.batch.id)[message.id - message.batch.id]
        content.message_id = str(message.id)
        content.publish_time.FromMicroseconds(message.published_microseconds)
        return content

    def _batch(self, batch_id: int) -> Any:
        parsed = self._parsed.get(batch_id)
        if parsed is None:
            parsed = parse(self._bodies.get(batch_id) or self._read(batch_id))
            if len(self._parsed) == PARSED:
                del self._parsed[next(iter(self._parsed))]
            self._parsed[batch_id] = parsed
        return parsed
