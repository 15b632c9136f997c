"""Group commit: the changes that are asked for in one turn of the event loop are one transaction.

A commit takes longer than any other part of a small upload.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from localcloud.storage.errors import StorageError
from localcloud.storage.model import Object

#: Makes a change within a transaction, and adds the files to remove after its commit to the list.
#: Raises `StorageError` to refuse the change, before its first write.
Work = Callable[[list[str]], Object]


@dataclass(slots=True, eq=False)
class _Change:
    work: Work
    made: Object | None = None
    refusal: Exception | None = None

    def make(self, garbage: list[str]) -> None:
        self.refusal = None
        try:
            self.made = self.work(garbage)
        except StorageError as refusal:
            self.refusal = refusal


class GroupCommit:
    """Changes that wait for their common transaction, which `begin` begins."""

    def __init__(self, begin: Callable[[], AbstractContextManager[list[str]]]) -> None:
        self._begin = begin
        self._waiting: list[_Change] = []

    async def commit(self, work: Work) -> Object:
        """The committed object. Raises what the work or its commit raises."""
        change = _Change(work)
        self._waiting.append(change)
        await asyncio.sleep(0)  # until all of this turn wait; the first that continues commits them
        if change in self._waiting:
            waiting, self._waiting = self._waiting, []
            self._commit(waiting)
        if change.refusal:
            raise change.refusal
        assert change.made
        return change.made

    def _commit(self, changes: list[_Change]) -> None:
        """Commit all, or each alone when that fails, such as for want of room: the others are not refused."""
        try:
            with self._begin() as garbage:
                for change in changes:
                    change.make(garbage)
        except Exception as error:
            if len(changes) == 1:
                changes[0].refusal = error
                return
            for change in changes:
                self._commit([change])
