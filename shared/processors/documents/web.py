"""HTML: facts and text. No script runs, and nothing is fetched."""

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from shared.processors import charset
from shared.processors.documents.lines import Lines
from shared.processors.documents.words import MAX_FACT_CHARACTERS, stated

_BLOCK_CHARACTERS = 1 << 20
#: A page of HTML names its encoding within these bytes (HTML Standard §4.2.5.4).
_CHARSET = re.compile(rb"<meta[^>]{1,200}?charset\s*=\s*[\"']?\s*([\w:.-]{1,40})", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"<\?xml[^>]{1,100}?encoding\s*=\s*[\"']([\w:.-]{1,40})", re.IGNORECASE)
_HEAD_BYTES = 1024
_UNSEEN = frozenset({"script", "style", "template", "noscript", "svg", "math", "title"})
#: Unseen elements that may be inside each other.
_MAX_UNSEEN = 50
_LINES = frozenset(
    [
        *("p", "br", "div", "li", "ul", "ol", "dl", "dt", "dd", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre"),
        *(
            "section",
            "article",
            "header",
            "footer",
            "main",
            "nav",
            "aside",
            "blockquote",
            "figure",
            "figcaption",
            "form",
            "body",
        ),
    ]
)
_CELLS = frozenset({"td", "th"})
_SPACES = re.compile(r"[ \t\r\n\f]+")


class Html:
    """A page of HTML."""

    def __init__(self, source: Path) -> None:
        self._source = source

    def facts(self) -> Mapping[str, Any]:
        """See `Reader.facts`."""
        page = _Page()
        for _ in self._read(page):
            page.lines.taken()
        return {"format": "html", **stated(page.stated), "links": page.links}

    def text(self, _max_pages: int) -> Iterator[str]:
        """See `Reader.text`."""
        page = _Page()
        for _ in self._read(page):
            yield page.lines.taken()

    def _read(self, page: "_Page") -> Iterator[None]:
        with self._source.open(encoding=_encoding(self._source), errors="replace") as file:
            while block := file.read(_BLOCK_CHARACTERS):
                page.feed(block)
                yield
        page.close()
        yield


def text_of_html(markup: str) -> str:
    """The text of a piece of HTML."""
    page = _Page()
    page.feed(markup)
    page.close()
    return page.lines.taken()


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stated: dict[str, str] = {}
        self.links = 0
        self.lines = Lines()
        self._unseen: list[str] = []
        self._has_title = self._in_pre = False
        self._is_new_line, self._has_space = True, False

    def close(self) -> None:
        """A comment that is left open hides the rest."""
        if self.rawdata.startswith("<!--"):
            self.rawdata = ""
        super().close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A void element such as `br` has no end tag; an unseen one hides all until its own end."""
        found = {name: value or "" for name, value in attrs}
        if tag == "html" and found.get("lang"):
            self.stated["language"] = found["lang"]
        elif tag == "meta" and found.get("name", "").lower() in ("description", "author", "keywords"):
            self.stated.setdefault(found["name"].lower(), found.get("content", ""))
        elif tag == "a" and "href" in found:
            self.links += 1
        if tag == "body" or (tag in _LINES and self._unseen[-1:] in (["svg"], ["math"])):
            self._unseen.clear()  # HTML closes what was left open
        if tag in _UNSEEN and len(self._unseen) < _MAX_UNSEEN:
            self._unseen.append(tag)
        self._end_line(tag)
        self._in_pre = self._in_pre or tag == "pre"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """`<svg/>` hides nothing, unlike `<script/>`, which HTML has not."""
        self.handle_starttag(tag, attrs)
        if tag in ("svg", "math"):
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """The end of an unseen element also ends those inside that were left open."""
        if tag == "title" and self._unseen == ["title"]:
            self._has_title = True
        if tag in self._unseen:
            del self._unseen[self._unseen.index(tag) :]
        if tag in _CELLS and not self._unseen:
            self.lines.end_cell()
            self._is_new_line, self._has_space = True, False
        self._end_line(tag)
        self._in_pre = self._in_pre and tag != "pre"

    def handle_data(self, data: str) -> None:
        """White space is one space, except in `pre`."""
        if self._unseen == ["title"] and not self._has_title:
            title = self.stated.get("title", "")
            self.stated["title"] = (title + data)[: 2 * MAX_FACT_CHARACTERS]
        if self._unseen:
            return
        if self._in_pre:
            self._add_lines(data)
        else:
            self._add(_SPACES.sub(" ", data))

    def _add(self, text: str) -> None:
        """A space waits until text follows it in its line."""
        has_space = self._has_space or text.startswith(" ")
        if words := text.strip(" "):
            self.lines.add(" " * (has_space and not self._is_new_line) + words)
            self._is_new_line = False
        self._has_space = text.endswith(" ") or (has_space and not words)

    def _add_lines(self, text: str) -> None:
        for number, line in enumerate(text.split("\n")):
            if number:
                self.lines.end_line()
            self.lines.add(line)
        self._is_new_line = self._has_space = False

    def _end_line(self, tag: str) -> None:
        if tag in _LINES and not self._unseen:
            if tag == "br":
                self.lines.end_line()
            else:
                self.lines.end_block()
            self._is_new_line, self._has_space = True, False


def _encoding(source: Path) -> str:
    """The mark decides, then valid UTF-8, then the name in the page, then the likeliest one."""
    with source.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    found = _CHARSET.search(head) or _XML_ENCODING.search(head)
    declared = charset.named(found[1].decode()) if found else ""
    if declared.startswith("iso2022"):
        return declared  # its bytes are ASCII
    detected = charset.detect(source)
    if not declared or detected.startswith("utf-") or declared.startswith("utf-"):
        return detected
    return declared
