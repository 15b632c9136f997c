"""HTML and plain text: facts and text. No script runs, and nothing is fetched."""

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from shared.processors import charset
from shared.processors.documents.words import plain, stated

_BLOCK_CHARACTERS = 1 << 16
#: A page of HTML names its encoding within these bytes (HTML Standard §4.2.5.4).
_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?([\w-]+)", re.IGNORECASE)
_HEAD_BYTES = 1024
_UNSEEN = frozenset({"script", "style", "template", "noscript", "svg", "head"})
_LINES = frozenset(
    ["p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article", "blockquote", "pre", "table"]
)
_CELLS = frozenset({"td", "th"})


class PlainText:
    """A text without markup; Markdown is one too."""

    def __init__(self, source: Path) -> None:
        self._source = source

    def facts(self) -> Mapping[str, Any]:
        """See `Reader.facts`."""
        return {"format": "text"}

    def pages(self, _max_pages: int) -> Iterator[str]:
        """See `Reader.pages`."""
        yield plain(self._source.read_text(encoding=charset.detect(self._source), errors="replace"))


class Html:
    """A page of HTML."""

    def __init__(self, source: Path) -> None:
        self._page = _Page()
        with source.open(encoding=_encoding(source), errors="replace") as file:
            while block := file.read(_BLOCK_CHARACTERS):
                self._page.feed(block)
        self._page.close()

    def facts(self) -> Mapping[str, Any]:
        """See `Reader.facts`."""
        return {"format": "html", **stated(self._page.stated), "links": self._page.links}

    def pages(self, _max_pages: int) -> Iterator[str]:
        """See `Reader.pages`."""
        yield self._page.text()


def text_of_html(markup: str) -> str:
    """The text of a piece of HTML."""
    page = _Page()
    page.feed(markup)
    page.close()
    return page.text()


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stated: dict[str, str] = {}
        self.links = 0
        self._parts: list[str] = []
        self._unseen: list[str] = []
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "html" and found.get("lang"):
            self.stated["language"] = found["lang"]
        elif tag == "meta" and found.get("name", "").lower() in ("description", "author"):
            self.stated[found["name"].lower()] = found.get("content", "")
        elif tag == "a" and "href" in found:
            self.links += 1
        self._in_title = tag == "title"
        if tag in _UNSEEN:
            self._unseen.append(tag)
        elif tag == "body":
            self._unseen.clear()  # a head that is not closed
        elif tag in _LINES:
            self._parts.append("\n")
        elif tag in _CELLS:
            self._parts.append("\t")

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False
        if self._unseen and tag == self._unseen[-1]:
            self._unseen.pop()
        elif tag in _LINES:
            self._parts.append("\n")

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.stated["title"] = self.stated.get("title", "") + data
        elif not self._unseen:
            self._parts.append(data)

    def text(self) -> str:
        lines = (" ".join(re.split(r"[ \r\f\v]+", line)).strip() for line in plain("".join(self._parts)).split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def _encoding(source: Path) -> str:
    with source.open("rb") as file:
        declared = _CHARSET.search(file.read(_HEAD_BYTES))
    detected = charset.detect(source)
    if not declared or detected != "cp1252":
        return detected
    try:
        return ("".encode(name := declared[1].decode()) and name) or name
    except LookupError:
        return detected
