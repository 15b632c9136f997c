"""Messages retained for replay: by a topic, by a snapshot, or after acknowledgement by a subscription."""

from collections.abc import Iterable

from localcloud.pubsub.data.store import Store
from localcloud.pubsub.model import Message


class Archive:
    """The messages retained for the resource of that full name, by message id."""

    def __init__(self, name: str, store: Store) -> None:
        self.name = name
        self.messages: dict[int, Message] = {}
        self._store = store

    def restore(self, message: Message) -> None:
        """Add a message that the store already retains, after a restart."""
        self.messages[message.id] = message

    def add(self, messages: Iterable[Message]) -> None:
        """Retain these messages."""
        for message in messages:
            self.messages[message.id] = message
            self._store.retain(self.name, message)

    def discard(self, messages: Iterable[Message]) -> None:
        """Stop retaining those of these messages that are retained."""
        for message in messages:
            if self.messages.pop(message.id, None):
                self._store.release(self.name, message)

    def drop_before(self, microseconds: int) -> None:
        """Stop retaining messages published before that time (since the epoch)."""
        self.discard([message for message in self.messages.values() if message.id < microseconds])

    def clear(self) -> None:
        """Stop retaining any message."""
        self.discard(list(self.messages.values()))
