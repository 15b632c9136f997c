"""Texts without markup, and Markdown, whose markup is text."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.processors import charset
from shared.processors.documents.words import plain, stated

_BLOCK_CHARACTERS = 1 << 20
_HEAD_CHARACTERS = 8192
#: Marks of Markdown (CommonMark 0.31 §4 and §6, tables of GitHub): a heading alone may be a comment of a program.
_HEADING = re.compile(r"^#{1,6}[ \t]+(\S.*?)[ \t#]*$", re.MULTILINE)
_MARKS = (
    re.compile(r"^(?:```|~~~)", re.MULTILINE),
    re.compile(r"\[[^\]\n]{1,200}\]\([^)\s]{1,500}\)"),
    re.compile(r"^[ ]{0,3}(?:[-*+]|\d{1,9}\.)[ ]\S", re.MULTILINE),
    re.compile(r"(?:\*\*|__)[^\s*_][^*_\n]{0,200}(?:\*\*|__)"),
    re.compile(r"^#{2,6}[ \t]+\S", re.MULTILINE),
    re.compile(r"^[ ]{0,3}\|(?:[ ]*:?-+:?[ ]*\|)+[ ]*$", re.MULTILINE),
)
_FRONT = re.compile(r"---[ \t]*\n(.{0,4000}?)\n---[ \t]*\n", re.DOTALL)
_TITLE = re.compile(r"^title:[ \t]*[\"']?(.*?)[\"']?[ \t]*$", re.MULTILINE)


class PlainText:
    """A text."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._encoding = charset.detect(source)

    def facts(self) -> Mapping[str, Any]:
        """See `Reader.facts`. The title of Markdown is that of its front matter, else its first heading."""
        with self._source.open(encoding=self._encoding, errors="replace") as file:
            head = file.read(_HEAD_CHARACTERS)
        front, heading = _FRONT.match(head), _HEADING.search(head)
        if not (front or heading) or not any(mark.search(head) for mark in _MARKS):
            return {"format": "text"}
        title = _TITLE.search(front[1]) if front else None
        return {"format": "markdown", **stated({"title": title[1] if title else heading[1] if heading else ""})}

    def text(self, _max_pages: int) -> Iterator[str]:
        """See `Reader.text`."""
        with self._source.open(encoding=self._encoding, errors="replace") as file:
            while block := file.read(_BLOCK_CHARACTERS):
                yield plain(block)
