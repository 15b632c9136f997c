"""The store: resources, messages and unacknowledged deliveries in SQLite. Commits survive `kill -9`."""

import logging
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from localcloud.clock import Clock
from localcloud.database import open_database
from localcloud.pubsub.data import batches
from localcloud.pubsub.data.batches import BatchCache
from localcloud.pubsub.data.bodies import LARGE_BYTES, Bodies
from localcloud.pubsub.data.journal import Journal
from localcloud.pubsub.data.schema import SCHEMA
from localcloud.pubsub.data.shares import bits, pack, unpack
from localcloud.pubsub.messages import Snapshot, Subscription, Topic
from localcloud.pubsub.model import Batch, Holding, Message, Share, Stored
from localcloud.pubsub.rules.messages import MAX_MESSAGES

log = logging.getLogger(__name__)

_REMOVE_ORPHANS = """
DELETE FROM batches WHERE id NOT IN (SELECT batch FROM waiting UNION SELECT batch FROM kept)
"""
_FORGET_BATCH = ("DELETE FROM waiting WHERE batch = ?", "DELETE FROM kept WHERE batch = ?", "DELETE FROM batches WHERE id = ?")
_ADD_BATCH = "INSERT INTO batches (id, size, body) VALUES (?, ?, ?)"
_REMOVE_BATCH = "DELETE FROM batches WHERE id = ?"
_BODY = "SELECT body FROM batches WHERE id = ?"
_FILES = "SELECT id, size FROM batches WHERE body IS NULL"
_SAVE_SHARE = "INSERT OR REPLACE INTO waiting (subscription, batch, places, attempts) VALUES (?, ?, ?, ?)"
_REMOVE_SHARE = "DELETE FROM waiting WHERE subscription = ? AND batch = ?"
_RETAIN = "INSERT INTO kept (archive, message, batch) VALUES (?, ?, ?)"
_RELEASE = "DELETE FROM kept WHERE archive = ? AND message = ?"
_SAVE_ACTIVITY = "INSERT OR REPLACE INTO activity (subscription, time) VALUES (?, ?)"
_SAVE_SEEK = "INSERT OR REPLACE INTO seeks (subscription, lease) VALUES (?, ?)"
_HOLDINGS = """
SELECT batch, 0 AS message, '' AS archive, subscription, places, attempts FROM waiting
UNION ALL SELECT batch, message, archive, 0, x'', '' FROM kept
ORDER BY batch, message
"""


class Store:
    """Durable state in one SQLite file. Resources are written at once, messages and deliveries through the journal."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        path = folder / "pubsub.sqlite"
        self._database = open_database(path, SCHEMA)
        self._database.execute(_REMOVE_ORPHANS)
        self._bodies = Bodies(folder / "batches", self._database.disk)
        self._sweep()
        self._changed: dict[tuple[int, Batch], None] = {}  # shares to be written at the end of the turn
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
                messages = self.messages(batch)
            if row["archive"]:
                batch.kept += 1
                yield Holding(messages[row["message"] - batch.id], 0, 0, row["archive"])
            else:
                batch.shares[row["subscription"]] = share = unpack(row["places"], row["attempts"])
                for place, message in enumerate(messages):
                    if share.places >> place & 1:
                        yield Holding(message, row["subscription"], share.attempts.get(place, 0), "")

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

    def add_batch(self, first: int, body: bytes) -> Batch:
        """Store a serialized PublishRequest; its messages have consecutive ids, and stay until none of them is held."""
        is_large = len(body) >= LARGE_BYTES
        if is_large:
            self._bodies.write(first, body)
        self.journal.write(_ADD_BATCH, (first, len(body), None if is_large else body))
        self._cache.add(first, body)
        return Batch(first)

    def messages(self, batch: Batch) -> list[Message]:
        """The messages of a batch without their contents."""
        return batches.messages(batch, self._cache.contents(batch.id))

    def add_deliveries(self, subscription: int, batch: Batch, places: Iterable[int]) -> None:
        """Add unacknowledged deliveries of the messages at these places to the subscription."""
        share = batch.shares.setdefault(subscription, Share(0))
        share.places |= bits(places)
        self._change(subscription, batch)

    def retain(self, archive: str, message: Message) -> None:
        """Add the message to an archive."""
        message.batch.kept += 1
        self.journal.write(_RETAIN, (archive, message.id, message.batch.id))

    def release(self, archive: str, message: Message) -> None:
        """Remove the message from an archive, and delete its batch when that has no other holder."""
        self.journal.write(_RELEASE, (archive, message.id))
        message.batch.kept -= 1
        self._remove_unheld(message.batch)

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
        message.batch.shares[subscription].attempts[message.place] = attempts
        self._change(subscription, message.batch)

    def remove_delivery(self, subscription: int, message: Message) -> None:
        """Remove the delivery, and delete the message's batch when that has no other holder."""
        batch, place = message.batch, message.place
        share = batch.shares[subscription]
        share.places &= ~(1 << place)
        share.attempts.pop(place, None)
        self._change(subscription, batch)
        if not share.places:
            del batch.shares[subscription]
            self._remove_unheld(batch)

    def _remove_unheld(self, batch: Batch) -> None:
        if not batch.shares and not batch.kept:
            self.journal.write(_REMOVE_BATCH, (batch.id,))
            self.journal.after_commit(partial(self._bodies.remove, batch.id))
            self._cache.remove(batch.id)

    def _change(self, subscription: int, batch: Batch) -> None:
        if not self._changed:
            self.journal.before_commit(self._save_changed)
        self._changed[subscription, batch] = None

    def _save_changed(self) -> None:
        """Write each changed share once, whatever the number of its changes in this turn."""
        changed, self._changed = self._changed, {}
        for subscription, batch in changed:
            if share := batch.shares.get(subscription):
                self.journal.write(_SAVE_SHARE, (subscription, batch.id, *pack(share)))
            else:
                self.journal.write(_REMOVE_SHARE, (subscription, batch.id))

    def _sweep(self) -> None:
        """Remove files that no batch needs, and batches whose file a power cut has cut short."""
        lost = self._bodies.sweep(dict(self._database.execute(_FILES).fetchall()))
        for batch_id in lost:
            log.warning("the messages of batch %s are lost: its file is incomplete", batch_id)
            for statement in _FORGET_BATCH:
                self._database.execute(statement, (batch_id,))
            self._bodies.remove(batch_id)

    def _body(self, batch_id: int) -> bytes:
        body = self._database.execute(_BODY, (batch_id,)).fetchone()["body"]
        return self._bodies.read(batch_id) if body is None else bytes(body)
