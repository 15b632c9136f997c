"""OpenDocument texts, sheets and presentations: facts and text. Macros never run; nothing outside is fetched."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.processors.documents import properties
from shared.processors.documents.flow import OPEN_FOOTERS, OPEN_HEADERS, OPEN_SHEETS, OPEN_SLIDES, OPEN_TEXT, Flow
from shared.processors.documents.lines import Lines
from shared.processors.documents.package import Package
from shared.processors.documents.reader import password, unsupported

_KIND = re.compile(r"application/vnd\.oasis\.opendocument\.(text|spreadsheet|presentation)(?:-template|-master)?")
_FORMATS = {"text": ("odt", OPEN_TEXT), "spreadsheet": ("ods", OPEN_SHEETS), "presentation": ("odp", OPEN_SLIDES)}
_MACROS = re.compile(r"(?:Basic|Scripts)/.+", re.IGNORECASE)


class OpenDocument:
    """An open file."""

    def __init__(self, package: Package) -> None:
        """Raises `BadFile`."""
        self._package = package
        found = _KIND.fullmatch(package.read("mimetype", 200).decode("ascii", "replace").strip())
        if not found:
            raise unsupported("an OpenDocument file of this kind")
        if b"encryption-data" in package.read("META-INF/manifest.xml"):
            raise password("document")
        self.format, self._words = _FORMATS[found[1]]

    def facts(self) -> Mapping[str, Any]:
        """See `Reader.facts`."""
        pages = _Pages(self._words.inside)
        if self._words.is_paged:
            self._package.parse("content.xml", pages)
        return {
            "format": self.format,
            **({"pages": pages.count} if self._words.is_paged else {}),
            **properties.read(self._package, "meta.xml", properties.OPEN),
            "macros": any(_MACROS.fullmatch(name) for name in self._package.names()),
        }

    def text(self, max_pages: int) -> Iterator[str]:
        """See `Reader.text`. Headers come first and footers last."""
        lines = Lines()
        flows = [("content.xml", Flow(self._words, lines, max_pages))]
        if self.format == "odt" and "styles.xml" in self._package:
            flows = [("styles.xml", Flow(OPEN_HEADERS, lines)), *flows, ("styles.xml", Flow(OPEN_FOOTERS, lines))]
        for part, flow in flows:
            for _ in self._package.walk(part, flow):
                yield from flow.taken()
            flow.end_part()
        yield lines.taken()


class _Pages:
    """Counts elements of these names that are not inside another one."""

    def __init__(self, names: frozenset[str]) -> None:
        self.count = 0
        self._names = names
        self._depth = 0

    def start(self, tag: str, _found: Mapping[str, str]) -> None:
        if tag in self._names:
            self.count += not self._depth
            self._depth += 1

    def end(self, tag: str) -> None:
        self._depth -= tag in self._names

    def text(self, characters: str) -> None:
        pass
