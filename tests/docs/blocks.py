"""Fenced code blocks of a Markdown page, in order."""

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One block: its language, the file it belongs to (empty: none), its text, and its line in the page."""

    language: str
    file: str
    text: str
    line: int


def read(page: Path) -> list[Block]:
    """Every block that names a language; "```diff file=pipeline.toml" names a file too."""
    text = page.read_text()
    return [
        Block(found[1], found[2] or "", found[3], text.count("\n", 0, found.start()) + 1) for found in _FENCE.finditer(text)
    ]
