"""The ledger of acknowledged uploads: the promises of the doors."""

import base64
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock

import google_crc32c


@dataclass(frozen=True)
class Entry:
    """A generation that a door acknowledged. `kind` and `token` are those of its content."""

    name: str
    generation: int
    crc32c: str
    kind: str
    token: str
    door: str


@dataclass
class Ledger:
    """All entries, and what became of some: `overwritten` or `deleted`, by name and generation."""

    entries: list[Entry] = field(default_factory=list)
    fates: dict[tuple[str, int], str] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def add(self, entry: Entry) -> None:
        with self._lock:
            self.entries.append(entry)

    def fate(self, entry: Entry) -> str:
        """`kept`, `overwritten` or `deleted`."""
        return self.fates.get((entry.name, entry.generation), "kept")

    def write(self, path: Path) -> None:
        """One line of JSON for each entry."""
        path.write_text("".join(json.dumps(asdict(entry) | {"fate": self.fate(entry)}) + "\n" for entry in self.entries))


def crc32c(data: bytes) -> str:
    """The checksum as Cloud Storage states it."""
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()
