"""The store: queues, tasks and the names of removed tasks, in SQLite. Every write survives `kill -9`."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from localcloud.database import open_database, transaction
from localcloud.tasks.messages import Queue, Task
from localcloud.tasks.model import StoredQueue, StoredTask
from localcloud.tasks.rules import names

#: How long the name of a removed task stays taken (CreateTask, "Task De-duplication").
TOMBSTONE_SECONDS = 3600

# `due` is null while an attempt is in flight. AUTOINCREMENT never reuses a key: an attempt may outlive its task.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS queues (
    key INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, message BLOB NOT NULL, policy TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tasks (
    key INTEGER PRIMARY KEY AUTOINCREMENT, queue INTEGER NOT NULL REFERENCES queues ON DELETE CASCADE,
    id TEXT NOT NULL, named INTEGER NOT NULL, due REAL, executions INTEGER NOT NULL DEFAULT 0,
    last_status INTEGER NOT NULL DEFAULT 0, message BLOB NOT NULL, UNIQUE (queue, id));
CREATE INDEX IF NOT EXISTS tasks_due ON tasks (queue, due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS tombstones (
    queue INTEGER NOT NULL REFERENCES queues ON DELETE CASCADE, id TEXT NOT NULL, until REAL NOT NULL,
    PRIMARY KEY (queue, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tombstones_until ON tombstones (until);
"""


class Store:
    """The durable state of Cloud Tasks. Queues are few and cached in memory; tasks are not."""

    def __init__(self, folder: Path) -> None:
        self._database = open_database(folder / "tasks.sqlite", _SCHEMA)
        rows = self._database.execute("SELECT key, message, policy FROM queues")
        stored = [StoredQueue(row["key"], Queue.FromString(row["message"]), row["policy"]) for row in rows]
        self._queues = {queue.message.name: queue for queue in stored}

    def close(self) -> None:
        """Close the database; the store cannot be used afterwards."""
        self._database.close()

    def transaction(self) -> AbstractContextManager[object]:
        """Commit all writes of the block together, or none."""
        return transaction(self._database)

    def queues(self) -> Iterator[StoredQueue]:
        """Every queue, by name."""
        return (self._queues[name] for name in sorted(self._queues))

    def queue(self, name: str) -> StoredQueue | None:
        """The queue of that full name; None when it is missing."""
        return self._queues.get(name)

    def add_queue(self, message: Any) -> StoredQueue:
        """Store a new queue."""
        cursor = self._database.execute(
            "INSERT INTO queues (name, message, policy) VALUES (?, ?, '{}')",
            (message.name, message.SerializeToString()),
        )
        queue = StoredQueue(_key(cursor), message)
        self._queues[message.name] = queue
        return queue

    def save_queue(self, queue: StoredQueue) -> None:
        """Update the queue's message and policy."""
        self._database.execute(
            "UPDATE queues SET message = ?, policy = ? WHERE key = ?",
            (queue.message.SerializeToString(), queue.policy, queue.key),
        )

    def remove_queue(self, queue: StoredQueue) -> None:
        """Delete the queue, its tasks and its taken names."""
        self._database.execute("DELETE FROM queues WHERE key = ?", (queue.key,))
        del self._queues[queue.message.name]

    def add_task(self, queue: StoredQueue, message: Any, due: float, named: bool) -> bool:
        """Store a new task; False when the queue has a task of that id. Raises `DiskFull`."""
        self._database.disk.require()
        values = (queue.key, names.last(message.name), named, due, message.SerializeToString())
        statement = "INSERT INTO tasks (queue, id, named, due, message) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
        return self._database.execute(statement, values).rowcount == 1

    def is_tombstone(self, queue: StoredQueue, id_: str, now: float) -> bool:
        """Whether a named task of that id was removed less than `TOMBSTONE_SECONDS` ago."""
        statement = "SELECT 1 FROM tombstones WHERE queue = ? AND id = ? AND until > ?"
        return self._database.execute(statement, (queue.key, id_, now)).fetchone() is not None

    def task(self, queue: StoredQueue, id_: str) -> StoredTask | None:
        """The task of that id; None when it is missing."""
        row = self._database.execute("SELECT * FROM tasks WHERE queue = ? AND id = ?", (queue.key, id_)).fetchone()
        return _task(row) if row else None

    def task_of_key(self, key: int) -> StoredTask | None:
        """The task of that key; None when it was removed."""
        row = self._database.execute("SELECT * FROM tasks WHERE key = ?", (key,)).fetchone()
        return _task(row) if row else None

    def page(self, queue: StoredQueue, after: int, count: int) -> list[StoredTask]:
        """At most `count` tasks with keys above `after`, in order of creation."""
        statement = "SELECT * FROM tasks WHERE queue = ? AND key > ? ORDER BY key LIMIT ?"
        return [_task(row) for row in self._database.execute(statement, (queue.key, after, count))]

    def due(self, queue: StoredQueue, now: float, count: int) -> list[StoredTask]:
        """At most `count` tasks that are due, the longest due first."""
        statement = "SELECT * FROM tasks WHERE queue = ? AND due <= ? ORDER BY due, key LIMIT ?"
        return [_task(row) for row in self._database.execute(statement, (queue.key, now, count))]

    def next_due(self, queue: StoredQueue) -> float | None:
        """When the first waiting task is due; None when no task waits."""
        statement = "SELECT min(due) FROM tasks WHERE queue = ? AND due IS NOT NULL"
        due: float | None = self._database.execute(statement, (queue.key,)).fetchone()[0]
        return due

    def count(self, queue: StoredQueue) -> int:
        """Number of tasks in the queue, those in flight included."""
        return int(self._database.execute("SELECT count(*) FROM tasks WHERE queue = ?", (queue.key,)).fetchone()[0])

    def save_task(self, task: StoredTask, due: float | None) -> None:
        """Update the task; `due` is None while an attempt is in flight."""
        self._database.execute(
            "UPDATE tasks SET due = ?, executions = ?, last_status = ?, message = ? WHERE key = ?",
            (due, task.executions, task.last_status, task.message.SerializeToString(), task.key),
        )

    def remove_task(self, task: StoredTask, now: float) -> None:
        """Delete the task; a name chosen by its creator stays taken for `TOMBSTONE_SECONDS`."""
        with self.transaction():
            removed = self._database.execute("DELETE FROM tasks WHERE key = ?", (task.key,)).rowcount
            if removed and task.named:
                self._bury("VALUES (?, ?, ?)", (task.queue, task.id, now + TOMBSTONE_SECONDS), now)

    def purge(self, queue: StoredQueue, now: float) -> None:
        """Delete all tasks of the queue; names chosen by their creators stay taken."""
        with self.transaction():
            chosen = "SELECT queue, id, ? FROM tasks WHERE queue = ? AND named"
            self._bury(chosen, (now + TOMBSTONE_SECONDS, queue.key), now)
            self._database.execute("DELETE FROM tasks WHERE queue = ?", (queue.key,))

    def recover(self, now: float) -> None:
        """After a restart: make tasks in flight due again and delete expired tombstones."""
        with self.transaction():
            self._database.execute("UPDATE tasks SET due = ? WHERE due IS NULL", (now,))
            self._database.execute("DELETE FROM tombstones WHERE until <= ?", (now,))

    def _bury(self, rows: str, values: tuple[object, ...], now: float) -> None:
        self._database.execute("DELETE FROM tombstones WHERE until <= ?", (now,))
        self._database.execute(f"INSERT OR REPLACE INTO tombstones {rows}", values)


def _key(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def _task(row: sqlite3.Row) -> StoredTask:
    return StoredTask(
        row["key"],
        row["queue"],
        row["id"],
        bool(row["named"]),
        row["executions"],
        row["last_status"],
        Task.FromString(row["message"]),
    )
