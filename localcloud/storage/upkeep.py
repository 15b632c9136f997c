"""Background upkeep: applies lifecycle rules and deletes expired uploads."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from localcloud.clock import Clock, rfc3339
from localcloud.disk import DiskFull
from localcloud.storage.data.store import Store
from localcloud.storage.errors import StorageError
from localcloud.storage.media import parts, resumable
from localcloud.storage.model import Bucket, Conditions, Object
from localcloud.storage.rules.lifecycle import ABORT, DELETE, Facts, applies, choose_action
from localcloud.storage.rules.objects import CLASS_CHANGED

log = logging.getLogger(__name__)

#: Cloud Storage promises "within a day". Ten minutes are short enough to watch a rule, and cost next to nothing.
INTERVAL_SECONDS = 600.0
_PAGE = 200
#: Scheme and host of the links in notifications about a rule's changes: no request provides them.
_BASE = "https://storage.googleapis.com"


class Upkeep:
    """Visits every bucket at a fixed interval."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start; the first round begins at once."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop between two objects."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self.round()
            except DiskFull:
                pass
            except Exception:
                log.exception("upkeep failed; will retry in %.0f seconds", INTERVAL_SECONDS)
            await self._clock.sleep(INTERVAL_SECONDS)

    async def round(self) -> None:
        """Visit all buckets once."""
        resumable.expire(self._store)
        for bucket in list(self._store.buckets.values()):
            rules = bucket.settings.get("lifecycle", {}).get("rule", [])
            if rules:
                self._abort(bucket.name, rules)
                await self._apply(bucket, rules)

    def _abort(self, bucket: str, rules: list[Any]) -> None:
        for condition in (rule["condition"] for rule in rules if rule["action"]["type"] == ABORT):
            parts.abort_old(self._store, bucket, condition)

    async def _apply(self, bucket: Bucket, rules: list[Any]) -> None:
        cursor = ("", -1)
        while page := self._store.objects.page(bucket.name, cursor, True, _PAGE):
            cursor = (page[-1].name, page[-1].generation)
            for found in page:
                action = self._action(found, rules)
                if action:
                    self._perform(action, found)
            await asyncio.sleep(0)

    def _action(self, found: Object, rules: list[Any]) -> Mapping[str, Any] | None:
        facts = Facts(found, self._clock.time(), lambda: self._store.objects.count_newer(found))
        actions = [rule["action"] for rule in rules if rule["action"]["type"] != ABORT and applies(rule["condition"], facts)]
        return choose_action(actions, found.settings.get("storageClass", "STANDARD"))

    def _perform(self, action: Mapping[str, Any], found: Object) -> None:
        unchanged = Conditions(found.generation, None, found.metageneration)
        try:
            if action["type"] == DELETE:
                # A live object of a versioned bucket becomes noncurrent first, as after a request without a generation.
                generation = None if found.deleted is None else found.generation
                self._store.delete(found.bucket, found.name, generation, unchanged, _BASE)
            else:
                now = self._clock.time()
                changed = {"storageClass": action["storageClass"].upper(), CLASS_CHANGED: rfc3339(now)}
                self._store.update(found, unchanged, found.settings | changed, _BASE, now)
        except StorageError:
            # The object changed since the page was read; the next round reads it again.
            return
