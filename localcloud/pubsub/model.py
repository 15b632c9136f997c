"""What moves through Pub/Sub: a batch, a message, its delivery to one subscription, and the consumer that holds it."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Batch:
    """Messages of one publish request: kept together, until nobody holds any of them."""

    id: int  # of the first message; the others follow
    holds: int = 0  # subscriptions that have not acknowledged a message, and archives that keep it


@dataclass(slots=True, eq=False)
class Message:
    """One published message, shared by its subscriptions; the content is the store's business."""

    id: int
    size: int
    ordering_key: str
    batch: Batch

    @property
    def published_microseconds(self) -> int:
        """Since the epoch, and as consumers are told: ids are microseconds, but publish times whole milliseconds."""
        return self.batch.id // 1000 * 1000


@dataclass(slots=True, eq=False)
class Delivery:
    """A message that one subscription has not acknowledged yet."""

    message: Message
    attempts: int = 0
    lease: int = 0  # 0: nobody holds it
    deadline: float = 0.0  # of the lease, seconds since the epoch
    holder: "Consumer | None" = None
    lane: "Lane | None" = None
    is_gone: bool = False


@dataclass(slots=True, eq=False)
class Consumer:
    """Who takes messages: a stream, a pull or a pusher, with its flow control (0: no limit)."""

    max_messages: int = 0
    max_bytes: int = 0
    is_serial: bool = False  # never two messages of one ordering key at a time
    messages: int = 0
    bytes: int = 0
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    lanes: "deque[Lane]" = field(default_factory=deque)  # more work of ordering keys it already holds
    expired: "Callable[[Delivery], None]" = lambda _: None  # told before a delivery is taken away

    @property
    def has_room(self) -> bool:
        """Whether flow control lets one more message through; the last may be bigger than what was left."""
        return not (
            (self.max_messages and self.messages >= self.max_messages) or (self.max_bytes and self.bytes >= self.max_bytes)
        )

    def hold(self, size: int) -> None:
        """Count a message that was handed over."""
        self.messages += 1
        self.bytes += size

    def release(self, size: int) -> None:
        """Count a message that is acknowledged or given back, and look for more."""
        self.messages -= 1
        self.bytes -= size
        self.wake.set()


@dataclass(slots=True, eq=False)
class Lane:
    """The deliveries of one ordering key, oldest first; while one is held, only its holder gets the next."""

    key: str
    waiting: deque[Delivery] = field(default_factory=deque)
    held: dict[int, Delivery] = field(default_factory=dict)
    holder: Consumer | None = None
    queue: "deque[Lane] | deque[Delivery | Lane] | None" = None  # where it stands in line
    due: float = 0.0  # nothing of it goes out before, seconds since the epoch; 0: no delay
