"""Data classes: stored resources, batches, messages, their deliveries, and the consumers that hold them."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored resource and its serialized IAM policy. Only subscriptions have a key."""

    key: int
    message: Any
    policy: bytes


@dataclass(slots=True)
class Share:
    """The messages of a batch that one subscription has not acknowledged, by their ids less the batch's."""

    places: int  # a bit for each place
    attempts: dict[int, int] = field(default_factory=dict)  # by place, where they are counted


@dataclass(slots=True, eq=False)
class Batch:
    """The messages of one publish request, stored together until none of them is held."""

    id: int  # of the first message; the others are numbered consecutively
    shares: dict[int, Share] = field(default_factory=dict)  # by the key of the subscription
    kept: int = 0  # number of archive entries of its messages


@dataclass(slots=True, eq=False)
class Message:
    """One published message, shared by its subscriptions. The store has its content."""

    id: int
    size: int
    ordering_key: str
    batch: Batch

    @property
    def place(self) -> int:
        """Its position in its batch."""
        return self.id - self.batch.id

    @property
    def published_microseconds(self) -> int:
        """Publish time since the epoch, in whole milliseconds as Pub/Sub reports it; ids count microseconds."""
        return self.batch.id // 1000 * 1000


@dataclass(frozen=True, slots=True)
class Holding:
    """A stored message and its holder: a subscription, with the attempts so far, or an archive, by its name."""

    message: Message
    subscription: int
    attempts: int
    archive: str


@dataclass(slots=True, eq=False)
class Delivery:
    """A message that one subscription has not acknowledged yet."""

    message: Message
    attempts: int = 0
    lease: int = 0  # 0: not leased
    deadline: float = 0.0  # of the lease, seconds since the epoch
    holder: "Consumer | None" = None
    lane: "Lane | None" = None
    is_gone: bool = False


@dataclass(slots=True, eq=False)
class Pending:
    """New messages of one batch. `load` makes them when a consumer has room, which makes publishing cheaper."""

    first: int  # the lowest id
    load: Callable[[], list[Message]]


@dataclass(slots=True, eq=False)
class Consumer:
    """A stream, a pull or a push worker that takes messages, with its flow control (0: no limit)."""

    max_messages: int = 0
    max_bytes: int = 0
    is_serial: bool = False  # at most one message of each ordering key at a time
    messages: int = 0
    bytes: int = 0
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    lanes: "deque[Lane]" = field(default_factory=deque)  # ordering keys it holds that have more messages
    on_expired: "Callable[[Delivery], None]" = lambda _: None  # called before a lease is ended at its deadline

    @property
    def has_room(self) -> bool:
        """Whether flow control allows one more message. The last message may exceed `max_bytes`."""
        return not (
            (self.max_messages and self.messages >= self.max_messages) or (self.max_bytes and self.bytes >= self.max_bytes)
        )

    def hold(self, size: int) -> None:
        """Count a message that was taken."""
        self.messages += 1
        self.bytes += size

    def release(self, size: int) -> None:
        """Stop counting a message that was acknowledged or returned, and wake the consumer for more."""
        self.messages -= 1
        self.bytes -= size
        self.wake.set()


@dataclass(slots=True, eq=False)
class Lane:
    """The deliveries of one ordering key, oldest first. While one is held, only its holder gets the next."""

    key: str
    waiting: deque[Delivery] = field(default_factory=deque)
    held: dict[int, Delivery] = field(default_factory=dict)
    holder: Consumer | None = None
    queue: "deque[Lane] | deque[Delivery | Lane | Pending] | None" = None  # the queue that contains this lane
    due: float = 0.0  # no delivery before this time, seconds since the epoch; 0: no delay
