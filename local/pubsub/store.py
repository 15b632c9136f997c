"""Topics, subscriptions, messages and who has not acknowledged them, in SQLite. What is committed survives `kill -9`."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from local.database import open_database
from local.pubsub.journal import Journal
from local.pubsub.messages import Subscription, Topic
from local.pubsub.model import Message

#: Bodies of the newest messages kept in memory; older ones are read from disk when their turn comes.
CACHE_BYTES = 64 << 20

_SCHEMA = """
CREATE TABLE IF NOT EXISTS topics (
    name TEXT PRIMARY KEY, message BLOB NOT NULL, policy BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subscriptions (
    key INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, message BLOB NOT NULL, policy BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, ordering_key TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    subscription INTEGER NOT NULL, message INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (subscription, message)) WITHOUT ROWID;
"""

_ADD_MESSAGE = "INSERT INTO messages (id, ordering_key, body) VALUES (?, ?, ?)"
_REMOVE_MESSAGE = "DELETE FROM messages WHERE id = ?"
_ADD_DELIVERY = "INSERT INTO deliveries (subscription, message) VALUES (?, ?)"
_COUNT_ATTEMPT = "UPDATE deliveries SET attempts = ? WHERE subscription = ? AND message = ?"
_REMOVE_DELIVERY = "DELETE FROM deliveries WHERE subscription = ? AND message = ?"
_UNACKNOWLEDGED = """
SELECT subscription, message, attempts, ordering_key, length(body) AS size
FROM deliveries JOIN messages ON messages.id = message ORDER BY message
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A topic or subscription as it was kept, with its serialized IAM policy; topics have no key."""

    key: int
    message: Any
    policy: bytes


class Store:
    """All that Pub/Sub knows. Resources are written at once, messages and acknowledgements through the journal."""

    def __init__(self, folder: Path, first_id: int) -> None:
        self._database = open_database(folder / "pubsub.sqlite", _SCHEMA)
        self._database.execute("DELETE FROM messages WHERE id NOT IN (SELECT message FROM deliveries)")
        self.journal = Journal(self._database)
        self._bodies: dict[int, bytes] = {}
        self._cached_bytes = 0
        newest = self._database.execute("SELECT max(id) FROM messages").fetchone()[0] or 0
        # Acknowledged messages leave no trace, so ids continue from the time of the start.
        self._ids = count(max(first_id, newest + 1))

    def close(self) -> None:
        """Commit what is waiting and close the file; nothing may be asked afterwards."""
        self.journal.flush()
        self._database.close()

    def topics(self) -> list[Stored]:
        """Every topic."""
        rows = self._database.execute("SELECT message, policy FROM topics")
        return [Stored(0, Topic.FromString(row["message"]), row["policy"]) for row in rows]

    def subscriptions(self) -> list[Stored]:
        """Every subscription."""
        rows = self._database.execute("SELECT key, message, policy FROM subscriptions")
        return [Stored(row["key"], Subscription.FromString(row["message"]), row["policy"]) for row in rows]

    def unacknowledged(self) -> Iterator[tuple[int, Message, int]]:
        """Subscription key, message and attempts of every delivery, the oldest message first."""
        message = Message(0, 0, "")
        for row in self._database.execute(_UNACKNOWLEDGED):
            if row["message"] != message.id:
                message = Message(row["message"], row["size"], row["ordering_key"])
            message.references += 1
            yield row["subscription"], message, row["attempts"]

    def save_topic(self, message: Any, policy: bytes) -> None:
        """Keep a topic as it is now."""
        self.journal.flush()
        values = (message.name, message.SerializeToString(), policy)
        self._database.execute("INSERT OR REPLACE INTO topics (name, message, policy) VALUES (?, ?, ?)", values)

    def remove_topic(self, name: str) -> None:
        """Forget a topic; its messages stay for those who wait for them."""
        self.journal.flush()
        self._database.execute("DELETE FROM topics WHERE name = ?", (name,))

    def add_subscription(self, message: Any) -> int:
        """Keep a new subscription and return its key, which is never used again."""
        self.journal.flush()
        statement = "INSERT INTO subscriptions (name, message, policy) VALUES (?, ?, x'')"
        key = self._database.execute(statement, (message.name, message.SerializeToString())).lastrowid
        assert key is not None
        return key

    def save_subscription(self, key: int, message: Any, policy: bytes) -> None:
        """Keep a subscription as it is now."""
        self.journal.flush()
        values = (message.SerializeToString(), policy, key)
        self._database.execute("UPDATE subscriptions SET message = ?, policy = ? WHERE key = ?", values)

    def remove_subscription(self, key: int) -> None:
        """Forget a subscription; its deliveries must have been removed."""
        self.journal.flush()
        self._database.execute("DELETE FROM subscriptions WHERE key = ?", (key,))

    def next_id(self) -> int:
        """A message id that no message ever had."""
        return next(self._ids)

    def add_message(self, message: Message, body: bytes, subscriptions: list[int]) -> None:
        """Keep a message for these subscriptions."""
        message.references = len(subscriptions)
        self.journal.write(_ADD_MESSAGE, (message.id, message.ordering_key, body))
        for key in subscriptions:
            self.journal.write(_ADD_DELIVERY, (key, message.id))
        self._cache(message.id, body)

    def body(self, message: Message) -> bytes:
        """The serialized PubsubMessage."""
        body = self._bodies.get(message.id)
        if body is None:
            row = self._database.execute("SELECT body FROM messages WHERE id = ?", (message.id,)).fetchone()
            body = bytes(row["body"])
        return body

    def count_attempt(self, subscription: int, message: Message, attempts: int) -> None:
        """Keep how often the message was handed to the subscription."""
        self.journal.write(_COUNT_ATTEMPT, (attempts, subscription, message.id))

    def remove_delivery(self, subscription: int, message: Message) -> None:
        """Forget that the subscription waits for the message, and the message when nobody does."""
        self.journal.write(_REMOVE_DELIVERY, (subscription, message.id))
        message.references -= 1
        if message.references == 0:
            self.journal.write(_REMOVE_MESSAGE, (message.id,))
            self._cached_bytes -= len(self._bodies.pop(message.id, b""))

    def _cache(self, id_: int, body: bytes) -> None:
        self._bodies[id_] = body
        self._cached_bytes += len(body)
        while self._cached_bytes > CACHE_BYTES:
            self._cached_bytes -= len(self._bodies.pop(next(iter(self._bodies))))
