"""Facts of texts: encoding, lines, words, and whether JSON or XML is well-formed."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.parsers import expat  # from 2.4 on it stops entities that multiply

from shared.errors import BadFile
from shared.model import Limits
from shared.processors import charset
from shared.processors.any import NoOptions
from shared.processors.registry import processor

_BLOCK_CHARACTERS = 1 << 20
#: Longest text that is parsed as JSON, and of which the whole is in memory then.
MAX_JSON_BYTES = 32 << 20
#: Not in texts: control characters but tab, line and form feed, carriage return, escape (of terminals), and the mark of CP/M's end.
_NO_TEXT = frozenset(chr(code) for code in range(32)) - frozenset("\t\n\r\f\x1b\x1a\x0b\x08")


@dataclass
class _Counted:
    lines: int = 0
    words: int = 0
    characters: int = 0
    longest: int = 0
    has_controls: bool = False
    _line: int = 0
    _in_word: bool = False

    def add(self, text: str) -> None:
        """Count a piece; it may begin and end anywhere."""
        self.has_controls = self.has_controls or not _NO_TEXT.isdisjoint(text)
        first, *others = text.split("\n")
        self.longest = max(self.longest, self._line + len(first), *map(len, others))
        self._line = len(others[-1]) if others else self._line + len(first)
        self.lines += len(others)
        self.words += len(text.split()) - (self._in_word and not text[0].isspace())
        self._in_word = not text[-1].isspace()
        self.characters += len(text)

    def to_facts(self) -> dict[str, int]:
        """A last line without its end counts too."""
        counted = {"words": self.words, "characters": self.characters, "longest_line": self.longest}
        return {"lines": self.lines + (self._line > 0), **counted}


@processor(
    "text.facts",
    version=1,
    options=NoOptions,
    outputs=lambda _options: (),
    limits=Limits(memory_bytes=512 << 20, seconds=120, output_bytes=1 << 20),
)
def facts(source: Path, _folder: Path, _options: NoOptions) -> Iterator[Mapping[str, Any]]:
    """The facts `encoding`, `lines`, `words`, `characters`, `longest_line`; of JSON and XML whether it is `valid`."""
    encoding, counted, head = charset.detect(source), _Counted(), ""
    with source.open(encoding=encoding, errors="replace", newline=None) as file:
        while text := file.read(_BLOCK_CHARACTERS):
            head = head or text[:100].lstrip()
            counted.add(text)
    if counted.has_controls:
        raise BadFile("the file is no text: it has control characters", "not_a_text")
    yield {"encoding": encoding.replace("_", "-"), **counted.to_facts(), **_markup(source, encoding, head)}


def _markup(source: Path, encoding: str, head: str) -> dict[str, Any]:
    """The format and validity of JSON, JSON lines and XML; nothing for other texts."""
    if head.startswith(("<?xml", "<svg")):
        return {"format": "xml", "valid": _is_xml(source)}
    if not head.startswith(("{", "[")) or source.stat().st_size > MAX_JSON_BYTES:
        return {}
    with source.open(encoding=encoding) as file:
        text = file.read()
    if _is_json(text):
        return {"format": "json", "valid": True}
    first = text.lstrip().partition("\n")[0]
    if head.startswith("{") and _is_json(first):
        return {"format": "ndjson", "valid": all(_is_json(line) for line in text.split("\n") if line.strip())}
    return {"format": "json", "valid": False}


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_xml(source: Path) -> bool:
    parser = expat.ParserCreate()
    try:
        with source.open("rb") as file:
            parser.ParseFile(file)
    except expat.ExpatError:
        return False
    return True
