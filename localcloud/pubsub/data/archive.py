"""Messages that are kept although nobody waits for them: for a topic's retention, a snapshot, or who wants acknowledged ones."""

from collections.abc import Iterable

from localcloud.pubsub.data.store import Store
from localcloud.pubsub.model import Message


class Archive:
    """Messages kept for the resource of that full name."""

    def __init__(self, name: str, store: Store) -> None:
        self.name = name
        self.messages: dict[int, Message] = {}
        self._store = store

    def restore(self, message: Message) -> None:
        """Know a message that is kept since before the process started."""
        self.messages[message.id] = message

    def add(self, messages: Iterable[Message]) -> None:
        """Keep these as well."""
        for message in messages:
            self.messages[message.id] = message
            self._store.retain(self.name, message)

    def discard(self, messages: Iterable[Message]) -> None:
        """Keep these no longer, if they were kept."""
        for message in messages:
            if self.messages.pop(message.id, None):
                self._store.release(self.name, message)

    def drop_before(self, microseconds: int) -> None:
        """Keep nothing that was published before that time."""
        self.discard([message for message in self.messages.values() if message.id < microseconds])

    def clear(self) -> None:
        """Keep nothing."""
        self.discard(list(self.messages.values()))
