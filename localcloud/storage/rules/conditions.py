"""Preconditions: what a request demands of the state it finds (https://cloud.google.com/storage/docs/request-preconditions)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from localcloud.storage.errors import StorageError, condition_failed, invalid, not_modified, unsupported

_MAX = 2**63 - 1
_READS = {"GET", "HEAD", "OPTIONS"}
_READ_HEADERS = ("if-match", "if-none-match", "if-unmodified-since")


@dataclass(frozen=True, slots=True)
class Conditions:
    """The four conditions; generation 0 stands for "no live object"."""

    generation: int | None = None
    generation_not: int | None = None
    metageneration: int | None = None
    metageneration_not: int | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str], prefix: str = "if") -> "Conditions":
        """From `ifGenerationMatch=7` and its sisters; `ifSource` is the prefix for the source of a copy."""
        if not any(key.startswith(prefix) for key in query):
            return NONE
        return cls(
            number(query, f"{prefix}GenerationMatch"),
            number(query, f"{prefix}GenerationNotMatch"),
            number(query, f"{prefix}MetagenerationMatch"),
            number(query, f"{prefix}MetagenerationNotMatch"),
        )

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> "Conditions":
        """From the XML API's `x-goog-if-generation-match` and its sister."""
        return cls(
            number(headers, "x-goog-if-generation-match"),
            None,
            number(headers, "x-goog-if-metageneration-match"),
        )

    def to_json(self) -> dict[str, int | None]:
        """A form that survives a restart: `Conditions(**value)` reads it."""
        return asdict(self)

    def check_write(self, generation: int, metageneration: int) -> None:
        """412 unless the current state (0, 0: none) is the demanded one."""
        if self._misses(generation, metageneration) or self._hits(generation, metageneration):
            raise condition_failed()

    def check_read(self, generation: int, metageneration: int) -> None:
        """412 when the state is not the demanded one, 304 when the client has it already."""
        if self._misses(generation, metageneration):
            raise condition_failed()
        if self._hits(generation, metageneration):
            raise not_modified()

    def _misses(self, generation: int, metageneration: int) -> bool:
        return self.generation not in {None, generation} or self.metageneration not in {None, metageneration}

    def _hits(self, generation: int, metageneration: int) -> bool:
        return self.generation_not == generation or self.metageneration_not == metageneration


NONE = Conditions()


def check_write_headers(method: str, headers: Mapping[str, str]) -> None:
    """400 for a write on HTTP's own terms: Cloud Storage has those for reads only, and who sets them must not believe they held."""
    if method in _READS:
        return
    for name in _READ_HEADERS:
        if name in headers:
            instead = "ifGenerationMatch or x-goog-if-generation-match, with 0 for an object that must not exist yet"
            raise unsupported(f"{name} of a {method[:20]}, nor does Cloud Storage: use {instead}")


def number(values: Mapping[str, str], key: str) -> int | None:
    """A 64-bit number from a query or a header; None when absent, 400 when it is none."""
    text = values.get(key)
    if text is None:
        return None
    try:
        value = int(text)
    except ValueError:
        raise _not_a_number(key, text) from None
    if not 0 <= value <= _MAX:
        raise _not_a_number(key, text)
    return value


def _not_a_number(key: str, text: str) -> StorageError:
    return invalid(f"Invalid value for {key}: {text[:40]!r} is not a number.")
