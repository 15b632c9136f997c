"""Preconditions of a request on the current state (https://cloud.google.com/storage/docs/request-preconditions). Pure."""

from collections.abc import Mapping

from localcloud.storage.errors import StorageError, condition_failed, invalid, invalid_parameter, not_modified, unsupported
from localcloud.storage.model import NO_CONDITIONS, Conditions

_MAX = 2**63 - 1
_READS = {"GET", "HEAD", "OPTIONS"}
_READ_HEADERS = ("if-match", "if-none-match", "if-unmodified-since")


def query_conditions(query: Mapping[str, str], prefix: str = "if") -> Conditions:
    """Read `ifGenerationMatch=7` and its siblings; the prefix for the source of a copy is `ifSource`."""
    if not any(key.startswith(prefix) for key in query):
        return NO_CONDITIONS
    return Conditions(
        number(query, f"{prefix}GenerationMatch"),
        number(query, f"{prefix}GenerationNotMatch"),
        number(query, f"{prefix}MetagenerationMatch"),
        number(query, f"{prefix}MetagenerationNotMatch"),
    )


def header_conditions(headers: Mapping[str, str]) -> Conditions:
    """Read the XML API's `x-goog-if-generation-match` and `x-goog-if-metageneration-match`."""
    return Conditions(
        number(headers, "x-goog-if-generation-match"),
        None,
        number(headers, "x-goog-if-metageneration-match"),
    )


def check_write(conditions: Conditions, generation: int, metageneration: int) -> None:
    """412 unless the current state meets the conditions; generation and metageneration are 0 for a missing object."""
    if _misses(conditions, generation, metageneration) or _hits(conditions, generation, metageneration):
        raise condition_failed()


def check_read(conditions: Conditions, generation: int, metageneration: int) -> None:
    """412 when a `Match` condition fails, 304 when a `NotMatch` condition names the current state."""
    if _misses(conditions, generation, metageneration):
        raise condition_failed()
    if _hits(conditions, generation, metageneration):
        raise not_modified()


def check_write_headers(method: str, headers: Mapping[str, str]) -> None:
    """400 for `If-Match` and its siblings on a write.

    Cloud Storage supports them for reads only; ignoring them would fake a passed precondition.
    """
    if method in _READS:
        return
    for name in _READ_HEADERS:
        if name in headers:
            instead = "ifGenerationMatch or x-goog-if-generation-match, with 0 for an object that must not exist yet"
            raise unsupported(f"{name} of a {method[:20]}, nor does Cloud Storage: use {instead}")


def number(values: Mapping[str, str], key: str) -> int | None:
    """A number from 0 to 2⁶³ − 1 in a query or a header; None when absent, 400 for any other text."""
    text = values.get(key)
    if text is None:
        return None
    try:
        value = int(text)
    except ValueError:
        raise _not_a_number(key, text) from None
    if not 0 <= value <= _MAX:
        raise invalid_parameter(key, f"Invalid value '{text[:40]}'. Values must be within the range: [0, {_MAX}]")
    return value


def _misses(conditions: Conditions, generation: int, metageneration: int) -> bool:
    return conditions.generation not in {None, generation} or conditions.metageneration not in {None, metageneration}


def _hits(conditions: Conditions, generation: int, metageneration: int) -> bool:
    return conditions.generation_not == generation or conditions.metageneration_not == metageneration


def _not_a_number(key: str, text: str) -> StorageError:
    return invalid(f"Invalid value for {key}: {text[:40]!r} is not a number.")
