"""Topics, subscriptions, messages and who has not acknowledged them, in SQLite. What is committed survives `kill -9`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.clock import Clock
from local.database import open_database
from local.pubsub.journal import Journal
from local.pubsub.messages import Snapshot, Subscription, Topic
from local.pubsub.model import Message

#: Bodies of the newest messages kept in memory; older ones are read from disk when their turn comes.
CACHE_BYTES = 16 << 20

_SCHEMA = """
CREATE TABLE IF NOT EXISTS topics (
    name TEXT PRIMARY KEY, message BLOB NOT NULL, policy BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subscriptions (
    key INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, message BLOB NOT NULL, policy BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, ordering_key TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    subscription INTEGER NOT NULL, message INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (subscription, message)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS snapshots (
    name TEXT PRIMARY KEY, message BLOB NOT NULL, policy BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS retained (
    archive TEXT NOT NULL, message INTEGER NOT NULL, PRIMARY KEY (archive, message)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS activity (subscription INTEGER PRIMARY KEY, time REAL NOT NULL);
"""

_REMOVE_ORPHANS = """
DELETE FROM messages WHERE id NOT IN (SELECT message FROM deliveries UNION SELECT message FROM retained)
"""
_ADD_MESSAGE = "INSERT INTO messages (id, ordering_key, body) VALUES (?, ?, ?)"
_REMOVE_MESSAGE = "DELETE FROM messages WHERE id = ?"
_ADD_DELIVERY = "INSERT INTO deliveries (subscription, message) VALUES (?, ?)"
_COUNT_ATTEMPT = "UPDATE deliveries SET attempts = ? WHERE subscription = ? AND message = ?"
_REMOVE_DELIVERY = "DELETE FROM deliveries WHERE subscription = ? AND message = ?"
_RETAIN = "INSERT INTO retained (archive, message) VALUES (?, ?)"
_RELEASE = "DELETE FROM retained WHERE archive = ? AND message = ?"
_NOTE_ACTIVITY = "INSERT OR REPLACE INTO activity (subscription, time) VALUES (?, ?)"
_HOLDINGS = """
SELECT subscription, '' AS archive, message, attempts, ordering_key, length(body) AS size
FROM deliveries JOIN messages ON messages.id = message
UNION ALL SELECT 0, archive, message, 0, ordering_key, length(body) FROM retained JOIN messages ON messages.id = message
ORDER BY message
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A resource as it was kept, with its serialized IAM policy; only subscriptions have a key."""

    key: int
    message: Any
    policy: bytes


@dataclass(frozen=True, slots=True)
class Holding:
    """A message and who holds it: a subscription that has not acknowledged it after so many attempts, or an archive."""

    message: Message
    subscription: int
    attempts: int
    archive: str


class Store:
    """All that Pub/Sub knows. Resources are written at once, messages and acknowledgements through the journal."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._database = open_database(folder / "pubsub.sqlite", _SCHEMA)
        self._database.execute(_REMOVE_ORPHANS)
        self.journal = Journal(self._database)
        self._clock = clock
        self._bodies: dict[int, bytes] = {}
        self._cached_bytes = 0
        # Messages that nobody holds leave no trace, but their ids are older than now.
        self._newest_id: int = self._database.execute("SELECT max(id) FROM messages").fetchone()[0] or 0

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

    def snapshots(self) -> list[Stored]:
        """Every snapshot."""
        rows = self._database.execute("SELECT message, policy FROM snapshots")
        return [Stored(0, Snapshot.FromString(row["message"]), row["policy"]) for row in rows]

    def holdings(self) -> Iterator[Holding]:
        """Who holds which message, the oldest message first."""
        message = Message(0, 0, "")
        for row in self._database.execute(_HOLDINGS):
            if row["message"] != message.id:
                message = Message(row["message"], row["size"], row["ordering_key"])
            message.references += 1
            yield Holding(message, row["subscription"], row["attempts"], row["archive"])

    def activity(self) -> dict[int, float]:
        """When each subscription was last used, by key."""
        return dict(self._database.execute("SELECT subscription, time FROM activity").fetchall())

    def save_topic(self, message: Any, policy: bytes) -> None:
        """Keep a topic as it is now."""
        self.journal.flush()
        values = (message.name, message.SerializeToString(), policy)
        self._database.execute("INSERT OR REPLACE INTO topics (name, message, policy) VALUES (?, ?, ?)", values)

    def remove_topic(self, name: str) -> None:
        """Forget a topic; its messages stay for those who wait for them."""
        self.journal.flush()
        self._database.execute("DELETE FROM topics WHERE name = ?", (name,))

    def save_snapshot(self, message: Any, policy: bytes) -> None:
        """Keep a snapshot as it is now."""
        self.journal.flush()
        values = (message.name, message.SerializeToString(), policy)
        self._database.execute("INSERT OR REPLACE INTO snapshots (name, message, policy) VALUES (?, ?, ?)", values)

    def remove_snapshot(self, name: str) -> None:
        """Forget a snapshot; its archive must have been cleared."""
        self.journal.flush()
        self._database.execute("DELETE FROM snapshots WHERE name = ?", (name,))

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
        self._database.execute("DELETE FROM activity WHERE subscription = ?", (key,))

    def next_id(self) -> int:
        """A message id that no message ever had: microseconds since the epoch, or as many more as it takes to be new."""
        self._newest_id = max(self._newest_id + 1, int(self._clock.time() * 1_000_000))
        return self._newest_id

    def add_message(self, message: Message, body: bytes) -> None:
        """Keep a message, as long as somebody holds it."""
        self.journal.write(_ADD_MESSAGE, (message.id, message.ordering_key, body))
        self._cache(message.id, body)

    def add_delivery(self, subscription: int, message: Message) -> None:
        """Note that the subscription waits for the message."""
        message.references += 1
        self.journal.write(_ADD_DELIVERY, (subscription, message.id))

    def retain(self, archive: str, message: Message) -> None:
        """Keep the message for an archive."""
        message.references += 1
        self.journal.write(_RETAIN, (archive, message.id))

    def release(self, archive: str, message: Message) -> None:
        """Keep the message for that archive no longer."""
        self.journal.write(_RELEASE, (archive, message.id))
        self._let_go(message)

    def note_activity(self, subscription: int, time: float) -> None:
        """Keep when a subscription was last used."""
        self.journal.write(_NOTE_ACTIVITY, (subscription, time))

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
        """Forget that the subscription waits for the message, and the message when nobody else holds it."""
        self.journal.write(_REMOVE_DELIVERY, (subscription, message.id))
        self._let_go(message)

    def _let_go(self, message: Message) -> None:
        message.references -= 1
        if message.references == 0:
            self.journal.write(_REMOVE_MESSAGE, (message.id,))
            self._cached_bytes -= len(self._bodies.pop(message.id, b""))

    def _cache(self, id_: int, body: bytes) -> None:
        self._bodies[id_] = body
        self._cached_bytes += len(body)
        while self._cached_bytes > CACHE_BYTES:
            self._cached_bytes -= len(self._bodies.pop(next(iter(self._bodies))))
