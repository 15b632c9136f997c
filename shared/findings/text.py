"""A text: its encoding and size, and whether JSON or XML is well-formed, from `text.facts`."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.findings import values
from shared.findings.blocks import Finding, Label, Pairs, pairs

FORMATS = {"json": "JSON", "ndjson": "JSON lines", "xml": "XML"}


def find(steps: Sequence[Mapping[str, Any]]) -> Finding | None:
    """The text of these facts, one mapping for each step."""
    facts = next((facts for facts in steps if facts.keys() >= {"encoding", "lines", "longest_line"}), None)
    if facts is None:
        return None
    return Finding("text", "Text", [Pairs([*_validity(facts), *pairs(facts, LABELS).rows])])


def _validity(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = facts.get("format")
    named = FORMATS.get(found) if isinstance(found, str) else None
    return [("Format", f"{named}, {'valid' if facts.get('valid') is True else 'not valid'}")] if named else []


LABELS: Mapping[str, Label] = {
    "encoding": ("Encoding", values.shown),
    "lines": ("Lines", values.count),
    "words": ("Words", values.count),
    "characters": ("Characters", values.count),
    "longest_line": ("Longest line", lambda value: f"{values.count(value)} characters" if values.count(value) else ""),
}
