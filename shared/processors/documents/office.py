"""Word, Excel and PowerPoint files: facts and text. Macros never run; external parts are never fetched."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.processors.documents import properties
from shared.processors.documents.flow import OFFICE, Flow
from shared.processors.documents.lines import Lines
from shared.processors.documents.package import Package, attribute
from shared.processors.documents.reader import PAGE_BREAK, check_pages, corrupt, unsupported
from shared.processors.documents.relations import Relations
from shared.processors.documents.sheets import Workbook

#: The root element of the main part → the format.
_FORMATS = {"document": "docx", "workbook": "xlsx", "presentation": "pptx"}
#: Where the main part is, if nothing says so.
_USUAL = ("word/document.xml", "xl/workbook.xml", "ppt/presentation.xml")
_MACROS = re.compile(r".*/(?:vbaProject\.bin|macrosheets/.*)", re.IGNORECASE)
_BEFORE, _AFTER = ("header",), ("footnotes", "endnotes", "footer")


class Office:
    """An open Office file, also one with macros, a template or a slide show, transitional or strict."""

    def __init__(self, package: Package) -> None:
        """Raises `BadFile`."""
        self._package = package
        self._main = _main_part(package)
        self._relations = Relations(package, self._main)
        self.format = _format(package, self._main)

    def facts(self) -> Mapping[str, Any]:
        """See `Reader.facts`."""
        core = next(iter(Relations(self._package, "").of("core-properties")), "docProps/core.xml")
        pages = {} if self.format == "docx" else {"pages": len(self._page_parts())}
        has_macros = any(_MACROS.fullmatch(name) for name in self._package.names())
        return {"format": self.format, **pages, **properties.read(self._package, core, properties.OFFICE), "macros": has_macros}

    def text(self, max_pages: int) -> Iterator[str]:
        """See `Reader.text`. A slide and a sheet are a page; a Word document is one."""
        if self.format == "docx":
            before, after = ([part for kind in kinds for part in self._relations.of(kind)] for kinds in (_BEFORE, _AFTER))
            return _flow(self._package, [*before, self._main, *after])
        pages = self._page_parts()
        check_pages(len(pages), max_pages)
        if self.format == "xlsx":
            return Workbook(self._package, self._main).text(pages)
        return self._slides(pages)

    def _page_parts(self) -> list[str]:
        """The parts of the slides or sheets, in the order in which they are shown (ECMA-376-1 §18.2.20, §19.2.1.34)."""
        order = _Order()
        self._package.parse(self._main, order)
        return [part for name in order.found if (part := self._relations.target(name))]

    def _slides(self, parts: list[str]) -> Iterator[str]:
        for number, part in enumerate(parts):
            if number:
                yield PAGE_BREAK
            yield from _flow(self._package, [part, *Relations(self._package, part).of("notesSlide")])


class _Order:
    def __init__(self) -> None:
        self.found: list[str] = []

    def start(self, tag: str, found: Mapping[str, str]) -> None:
        if tag in ("sldId", "sheet"):
            self.found.append(attribute(found, "id"))

    def end(self, tag: str) -> None:
        pass

    def text(self, characters: str) -> None:
        pass


class _Root(_Order):
    def start(self, tag: str, _found: Mapping[str, str]) -> None:
        self.found.append(tag)


def _flow(package: Package, parts: list[str]) -> Iterator[str]:
    lines = Lines()
    flow = Flow(OFFICE, lines)
    for part in parts:
        for _ in package.walk(part, flow):
            yield from flow.taken()
        flow.end_part()
    yield lines.taken()


def _main_part(package: Package) -> str:
    stated = (part for part in Relations(package, "").of("officeDocument") if part in package)
    found = next(stated, "") or next((part for part in _USUAL if part in package), "")
    if found.endswith(".bin"):
        raise unsupported("an Excel binary workbook", "save it as xlsx")
    if not found:
        raise unsupported("a zip archive that is no document")
    return found


def _format(package: Package, main: str) -> str:
    root = _Root()
    for _ in package.walk(main, root):
        if root.found:
            break
    if not root.found:
        raise corrupt("document")
    if root.found[0] not in _FORMATS:
        raise unsupported("an Office file of this kind")
    return _FORMATS[root.found[0]]
