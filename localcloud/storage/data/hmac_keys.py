"""HMAC keys of service accounts: rows. A deleted key is shown for a month."""

from dataclasses import asdict
from sqlite3 import Connection

from localcloud.storage.model import HmacKey

DELETED = "DELETED"
_KEPT_SECONDS = 30 * 24 * 3600


class HmacKeys:
    """All keys, of every project."""

    def __init__(self, database: Connection) -> None:
        self._database = database

    def save(self, key: HmacKey) -> HmacKey:
        """Create or replace a key."""
        self._database.execute("INSERT OR REPLACE INTO hmac_keys VALUES (?, ?, ?, ?, ?, ?, ?)", tuple(asdict(key).values()))
        return key

    def all(self, now: float) -> list[HmacKey]:
        """The keys in the order of their ids, without those deleted more than a month ago."""
        self._database.execute("DELETE FROM hmac_keys WHERE state = ? AND updated < ?", (DELETED, now - _KEPT_SECONDS))
        return [HmacKey(*row) for row in self._database.execute("SELECT * FROM hmac_keys ORDER BY id")]
