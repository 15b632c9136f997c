"""Upkeep in the background: lifecycle rules are carried out, and forgotten uploads dropped, as time passes."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from localcloud.clock import Clock, rfc3339
from localcloud.storage.data.parts import Parts
from localcloud.storage.data.store import Store
from localcloud.storage.errors import StorageError
from localcloud.storage.media.resumable import Sessions
from localcloud.storage.model import Bucket, Object
from localcloud.storage.rules.conditions import Conditions
from localcloud.storage.rules.lifecycle import ABORT, DELETE, Facts, applies, chosen
from localcloud.storage.rules.objects import CLASS_CHANGED

log = logging.getLogger(__name__)

#: Cloud Storage promises no more than "within a day"; this is soon enough to watch, and costs nothing.
INTERVAL_SECONDS = 600.0
_PAGE = 200
#: Links in the payload of the notifications that a rule causes: there is no request to take the host from.
_BASE = "https://storage.googleapis.com"


class Upkeep:
    """Looks after every bucket that has rules, again and again."""

    def __init__(self, store: Store, sessions: Sessions, parts: Parts, clock: Clock) -> None:
        self._store = store
        self._sessions = sessions
        self._parts = parts
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; the first round comes at once."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End, between two objects."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self.round()
            except Exception:
                log.exception("lifecycle rules could not be carried out; they will be tried again")
            await self._clock.sleep(INTERVAL_SECONDS)

    async def round(self) -> None:
        """Go through all buckets once."""
        self._sessions.expire()
        for bucket in list(self._store.buckets.values()):
            rules = bucket.settings.get("lifecycle", {}).get("rule", [])
            if rules:
                self._abort(bucket.name, rules)
                await self._tend(bucket, rules)

    def _abort(self, bucket: str, rules: list[Any]) -> None:
        for condition in (rule["condition"] for rule in rules if rule["action"]["type"] == ABORT):
            self._parts.abort_old(bucket, condition)

    async def _tend(self, bucket: Bucket, rules: list[Any]) -> None:
        cursor = ("", -1)
        while page := self._store.page(bucket.name, cursor, True, _PAGE):
            cursor = (page[-1].name, page[-1].generation)
            for found in page:
                action = self._action(found, rules)
                if action:
                    self._carry_out(action, found)
            await asyncio.sleep(0)

    def _action(self, found: Object, rules: list[Any]) -> Mapping[str, Any] | None:
        facts = Facts(found, self._clock.time(), lambda: self._store.newer(found))
        actions = [rule["action"] for rule in rules if rule["action"]["type"] != ABORT and applies(rule["condition"], facts)]
        return chosen(actions, found.settings.get("storageClass", "STANDARD"))

    def _carry_out(self, action: Mapping[str, Any], found: Object) -> None:
        exactly = Conditions(found.generation, None, found.metageneration)
        try:
            if action["type"] == DELETE:
                # A live object of a versioned bucket becomes noncurrent first, as with a request that names no generation.
                generation = None if found.deleted is None else found.generation
                self._store.delete(found.bucket, found.name, generation, exactly, _BASE)
            else:
                now = self._clock.time()
                changed = {"storageClass": action["storageClass"].upper(), CLASS_CHANGED: rfc3339(now)}
                self._store.update(found, exactly, found.settings | changed, _BASE, now)
        except StorageError:
            # Changed since the page was read: the next round sees it as it is then.
            return
