"""The store: resources, messages and unacknowledged deliveries in SQLite. Commits survive `kill -9`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from localcloud.clock import Clock
from localcloud.database import open_database
from localcloud.pubsub.data import batches
from localcloud.pubsub.data.batches import BatchCache
from localcloud.pubsub.data.journal import Journal
from localcloud.pubsub.messages import Snapshot, Subscription, Topic
from localcloud.pubsub.model import Batch, Holding, Message, Stored
from localcloud.pubsub.rules.messages import MAX_MESSAGES

_SCHEMA = """
CREATE TABLE IF NOT EXISTS topics (
    name TEXT PRIMARY KEY, message BLOB NOT NULL, policy BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subscriptions (
    key INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, message BLOB NOT NULL, policy BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS batches (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS waiting (
    subscription INTEGER NOT NULL, message INTEGER NOT NULL, batch INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (subscription, message)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS snapshots (
    name TEXT PRIMARY KEY, message BLOB NOT NULL, policy BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept (
    archive TEXT NOT NULL, message INTEGER NOT NULL, batch INTEGER NOT NULL,
    PRIMARY KEY (archive, message)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS activity (subscription INTEGER PRIMARY KEY, time REAL NOT NULL);
CREATE TABLE IF NOT EXISTS seeks (subscription INTEGER PRIMARY KEY, lease INTEGER NOT NULL);
"""

_REMOVE_ORPHANS = """
DELETE FROM batches WHERE id NOT IN (SELECT batch FROM waiting UNION SELECT batch FROM kept)
"""
_ADD_BATCH = "INSERT INTO batches (id, body) VALUES (?, ?)"
_REMOVE_BATCH = "DELETE FROM batches WHERE id = ?"
_BODY = "SELECT body FROM batches WHERE id = ?"
_ADD_DELIVERIES = """
INSERT INTO waiting (subscription, message, batch)
WITH RECURSIVE run (id) AS (SELECT ? UNION ALL SELECT id + 1 FROM run WHERE id < ?) SELECT ?, id, ? FROM run
"""
_COUNT_ATTEMPT = "UPDATE waiting SET attempts = ? WHERE subscription = ? AND message = ?"
_REMOVE_DELIVERY = "DELETE FROM waiting WHERE subscription = ? AND message = ?"
_RETAIN = "INSERT INTO kept (archive, message, batch) VALUES (?, ?, ?)"
_RELEASE = "DELETE FROM kept WHERE archive = ? AND message = ?"
_SAVE_ACTIVITY = "INSERT OR REPLACE INTO activity (subscription, time) VALUES (?, ?)"
_SAVE_SEEK = "INSERT OR REPLACE INTO seeks (subscription, lease) VALUES (?, ?)"
_HOLDINGS = """
SELECT subscription, '' AS archive, message, batch, attempts FROM waiting
UNION ALL SELECT 0, archive, message, batch, 0 FROM kept
ORDER BY message
"""


class Store:
    """Durable state in one SQLite file. Resources are written at once, messages and deliveries through the journal."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        path = folder / "pubsub.sqlite"
        self._database = open_database(path, _SCHEMA)
        self._database.execute(_REMOVE_ORPHANS)
        self.journal = Journal(self._database, path)
        self._clock = clock
        self._cache = BatchCache(self._body)
        # Messages without a holder are not stored; their ids are from the past, so `next_ids` cannot repeat them.
        newest_batch = self._database.execute("SELECT max(id) FROM batches").fetchone()[0] or 0
        self._newest_id: int = newest_batch + MAX_MESSAGES

    def close(self) -> None:
        """Commit all pending writes and close the file."""
        self.journal.close()
        self._database.close()

    def require_room(self) -> None:
        """Raise `DiskFull` unless new messages may be stored."""
        self._database.disk.require()

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
        """Every stored message with each of its holders, oldest message first."""
        batch, messages = Batch(0), list[Message]()
        for row in self._database.execute(_HOLDINGS):
            if row["batch"] != batch.id:
                batch = Batch(row["batch"])
                messages = batches.messages(batch, batches.parse(self._body(batch.id)))
            batch.holds += 1
            yield Holding(messages[row["message"] - batch.id], row["subscription"], row["attempts"], row["archive"])

    def activity(self) -> dict[int, float]:
        """Time of each subscription's last use (seconds since the epoch), by key."""
        return dict(self._database.execute("SELECT subscription, time FROM activity").fetchall())

    def seeks(self) -> dict[int, int]:
        """The first lease after the last seek of each subscription that was sought, by key."""
        return dict(self._database.execute("SELECT subscription, lease FROM seeks").fetchall())

    def save_topic(self, message: Any, policy: bytes) -> None:
        """Insert or replace a topic."""
        self.journal.flush()
        values = (message.name, message.SerializeToString(), policy)
        self._database.execute("INSERT OR REPLACE INTO topics (name, message, policy) VALUES (?, ?, ?)", values)

    def remove_topic(self, name: str) -> None:
        """Delete a topic. Its unacknowledged messages remain."""
        self.journal.flush()
        self._database.execute("DELETE FROM topics WHERE name = ?", (name,))

    def save_snapshot(self, message: Any, policy: bytes) -> None:
        """Insert or replace a snapshot."""
        self.journal.flush()
        values = (message.name, message.SerializeToString(), policy)
        self._database.execute("INSERT OR REPLACE INTO snapshots (name, message, policy) VALUES (?, ?, ?)", values)

    def remove_snapshot(self, name: str) -> None:
        """Delete a snapshot. Clear its archive first."""
        self.journal.flush()
        self._database.execute("DELETE FROM snapshots WHERE name = ?", (name,))

    def add_subscription(self, message: Any) -> int:
        """Insert a subscription and return its key. Keys are never reused."""
        self.journal.flush()
        statement = "INSERT INTO subscriptions (name, message, policy) VALUES (?, ?, x'')"
        key = self._database.execute(statement, (message.name, message.SerializeToString())).lastrowid
        assert key is not None
        return key

    def save_subscription(self, key: int, message: Any, policy: bytes) -> None:
        """Update a subscription."""
        self.journal.flush()
        values = (message.SerializeToString(), policy, key)
        self._database.execute("UPDATE subscriptions SET message = ?, policy = ? WHERE key = ?", values)

    def remove_subscription(self, key: int) -> None:
        """Delete a subscription. Remove its deliveries first."""
        self.journal.flush()
        self._database.execute("DELETE FROM subscriptions WHERE key = ?", (key,))
        self._database.execute("DELETE FROM activity WHERE subscription = ?", (key,))
        self._database.execute("DELETE FROM seeks WHERE subscription = ?", (key,))

    def next_ids(self, count: int) -> range:
        """New consecutive message ids: microseconds since the epoch, or the next number after the newest id."""
        first = max(self._newest_id + 1, int(self._clock.time() * 1_000_000))
        self._newest_id = first + count - 1
        return range(first, first + count)

    def add_batch(self, first: int, request: Any) -> list[Message]:
        """Store the messages of a PublishRequest under consecutive ids, until none of them is held."""
        body = request.SerializeToString()
        self.journal.write(_ADD_BATCH, (first, body))
        self._cache.add(first, body)
        return batches.messages(Batch(first), request.messages)

    def add_deliveries(self, subscription: int, messages: Sequence[Message]) -> None:
        """Add unacknowledged deliveries to the subscription. `messages` must be sorted by id."""
        for first, last in batches.runs(messages):
            last.batch.holds += last.id - first.id + 1
            self.journal.write(_ADD_DELIVERIES, (first.id, last.id, subscription, last.batch.id))

    def retain(self, archive: str, message: Message) -> None:
        """Add the message to an archive."""
        message.batch.holds += 1
        self.journal.write(_RETAIN, (archive, message.id, message.batch.id))

    def release(self, archive: str, message: Message) -> None:
        """Remove the message from an archive, and delete it when it has no other holder."""
        self.journal.write(_RELEASE, (archive, message.id))
        self._let_go(message)

    def save_activity(self, subscription: int, time: float) -> None:
        """Save the time of a subscription's last use."""
        self.journal.write(_SAVE_ACTIVITY, (subscription, time))

    def save_seek(self, subscription: int, lease: int) -> None:
        """Save the first lease after a seek."""
        self.journal.write(_SAVE_SEEK, (subscription, lease))

    def content(self, message: Message) -> Any:
        """The PubsubMessage with id and publish time. Copy it before changing it."""
        return self._cache.content(message)

    def count_attempt(self, subscription: int, message: Message, attempts: int) -> None:
        """Save the number of delivery attempts of the message to the subscription."""
        self.journal.write(_COUNT_ATTEMPT, (attempts, subscription, message.id))

    def remove_delivery(self, subscription: int, message: Message) -> None:
        """Remove the delivery, and delete the message when it has no other holder."""
        self.journal.write(_REMOVE_DELIVERY, (subscription, message.id))
        self._let_go(message)

    def _let_go(self, message: Message) -> None:
        batch = message.batch
        batch.holds -= 1
        if batch.holds == 0:
            self.journal.write(_REMOVE_BATCH, (batch.id,))
            self._cache.remove(batch.id)

    def _body(self, batch_id: int) -> bytes:
        return bytes(self._database.execute(_BODY, (batch_id,)).fetchone()["body"])
