"""Notifications that wait for Pub/Sub: rows, committed together with the change that they announce."""

import json
from collections.abc import Collection, Iterable
from sqlite3 import Connection

from localcloud.storage.model import Message


class Messages:
    """The waiting notifications, the oldest first."""

    def __init__(self, database: Connection) -> None:
        self._database = database

    def add(self, messages: Iterable[Message]) -> None:
        """Append messages, within the transaction of the change."""
        for message in messages:
            self._database.execute(
                "INSERT INTO outbox (topic, data, attributes) VALUES (?, ?, ?)",
                (message.topic, message.data, json.dumps(message.attributes)),
            )

    def waiting(self, skipped_topics: Collection[str], limit: int) -> list[tuple[int, Message]]:
        """Ids and messages, the oldest first, without those of some topics."""
        marks = ", ".join("?" * len(skipped_topics))
        query = f"SELECT * FROM outbox WHERE topic NOT IN ({marks}) ORDER BY id LIMIT ?"  # noqa: S608
        rows = self._database.execute(query, (*skipped_topics, limit))
        return [(row["id"], Message(row["topic"], row["data"], json.loads(row["attributes"]))) for row in rows]

    def remove(self, ids: Collection[int]) -> None:
        """Forget published messages."""
        marks = ", ".join("?" * len(ids))
        self._database.execute(f"DELETE FROM outbox WHERE id IN ({marks})", tuple(ids))  # noqa: S608
