"""An archive: its members by kind, their sizes, the first of them; from `archive.list` and `archive.extract`."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.findings import values
from shared.findings.blocks import MAX_ROWS, Finding, Label, cut, grid, pairs

MEMBERS = (
    ("path", "Path"),
    ("kind", "Kind"),
    ("size", "Bytes"),
    ("modified", "Modified"),
    ("encrypted", "Encrypted"),
    ("unsafe", "Unsafe path"),
    ("reason", "Stays packed"),
)


def find(steps: Sequence[Mapping[str, Any]]) -> Finding | None:
    """The archive of these facts, one mapping for each step."""
    found = [facts for facts in steps if "members" in facts and isinstance(facts.get("listed"), list)]
    if not found:
        return None
    every = {key: value for facts in reversed(found) for key, value in facts.items()}
    listed = values.objects(every["listed"])
    rows = [
        one | ({"modified": values.moment(one["modified"])} if "modified" in one else {})
        for one in map(dict, listed[:MAX_ROWS])
    ]
    note = cut(listed, MAX_ROWS, "member", _described(found[0]))
    return Finding("archive", "Archive", [pairs(every, LABELS), grid("Members", rows, MEMBERS, note)], frozenset({"listed"}))


def _described(facts: Mapping[str, Any]) -> int:
    """The members that a full list has: an extraction lists no folders."""
    counts = [facts["extracted"], facts.get("refused", 0)] if "extracted" in facts else [facts["members"]]
    return sum(count for count in counts if isinstance(count, int))


def _kinds(value: Any) -> str:
    """Numbers of members by kind, `2 files, 1 folder`."""
    if not isinstance(value, Mapping):
        return ""
    named = [
        f"{values.count(number)} {values.shown(kind, 40)}{'s' * (number != 1)}" for kind, number in list(value.items())[:10]
    ]
    return ", ".join(named)


def _bytes(value: Any) -> str:
    return f"{values.count(value)} bytes" if values.count(value) else ""


LABELS: Mapping[str, Label] = {
    "format": ("Format", values.shown),
    "members": ("Members", values.count),
    "kinds": ("Kinds", _kinds),
    "packed_bytes": ("Packed", _bytes),
    "unpacked_bytes": ("Unpacked", _bytes),
    "extracted": ("Extracted", values.count),
    "refused": ("Left packed", values.if_some),
    "encrypted_members": ("Encrypted", values.if_some),
    "unsafe_paths": ("Unsafe paths", values.if_some),
    "comment": ("Comment", values.shown),
}
