"""Group commit: changes that are asked for at nearly the same time are one transaction.

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
#: Turns of the event loop for which a group waits after one of several changes: the requests that have arrived meanwhile are read
#: in the first, begin in the second, and join the group before the third.
_TURNS = 3


@dataclass(slots=True, eq=False)
class _Change:
    work: Work
    #: Set for the changes behind the first one, which commits them.
    done: asyncio.Future[None] | None = None
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
        self._turns = 1  # for a client alone, there is no other to wait for

    async def commit(self, work: Work) -> Object:
        """The committed object. Raises what the work or its commit raises."""
        change = _Change(work)
        self._waiting.append(change)
        if len(self._waiting) == 1:
            await self._commit_after_turns()
        else:
            change.done = asyncio.get_running_loop().create_future()
            await change.done
        if change.refusal:
            raise change.refusal
        assert change.made
        return change.made

    async def _commit_after_turns(self) -> None:
        try:
            for _ in range(self._turns):
                await asyncio.sleep(0)
        finally:  # also when the request of the first change is cancelled: others wait for it
            waiting, self._waiting = self._waiting, []
            self._turns = _TURNS if len(waiting) > 1 else 1
            self._commit(waiting)
            for change in waiting:
                if change.done and not change.done.done():
                    change.done.set_result(None)

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
