"""Word, Excel, PowerPoint and OpenDocument: facts and text. Macros never run; external parts are never fetched."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.errors import BadFile
from shared.processors.documents.package import Package
from shared.processors.documents.reader import check_pages, corrupt, password, unsupported
from shared.processors.documents.words import iso_date, plain, stated

#: The part that a document of each kind has, and its name in messages.
_KINDS = {
    "docx": ("word/document.xml", "Word document"),
    "xlsx": ("xl/workbook.xml", "Excel workbook"),
    "pptx": ("ppt/presentation.xml", "PowerPoint presentation"),
}
_OPEN_DOCUMENTS = {
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
}
#: Elements of docProps/core.xml and meta.xml → facts (ECMA-376-2 §11, OpenDocument 1.3 §4.3).
_PROPERTIES = {
    "title": "title",
    "creator": "author",
    "initial-creator": "author",
    "subject": "subject",
    "description": "description",
    "keywords": "keywords",
    "keyword": "keywords",
    "language": "language",
    "created": "created_at",
    "creation-date": "created_at",
    "modified": "modified_at",
    "date": "modified_at",
}
_MACROS = re.compile(r"(?:.*/)?(?:vbaProject\.bin|Basic/.*|Scripts/.*)", re.IGNORECASE)
#: Elements that end a line, that stand for white space, and whose content is no text of the document.
_LINES = frozenset({"p", "h", "tr", "table-row", "br", "cr", "line-break"})
_CELLS = frozenset({"tc", "table-cell", "tab"})
_UNSEEN = frozenset({"instrText", "delText", "tracked-changes", "annotation", "fldData", "binary-data"})
#: Most spaces or cells that one element may stand for.
_MAX_REPEATS = 100


class Office:
    """An open Office or OpenDocument file."""

    def __init__(self, source: Path) -> None:
        """Raises `BadFile`."""
        self._source = source
        self._package = Package(source, "document")
        self.format = self._format()

    def facts(self) -> Mapping[str, Any]:
        """See `Reader.facts`."""
        part = "meta.xml" if self.format.startswith("od") else "docProps/core.xml"
        found = _properties(self._package, part) if part in self._package else {}
        dates = {name: iso_date(found.pop(name, "")) for name in ("created_at", "modified_at")}
        has_macros = any(_MACROS.fullmatch(name) for name in self._package.names())
        pages = {} if self.format in ("docx", "odt") else {"pages": len(self._parts_of_pages())}
        return {"format": self.format, **pages, **stated({**found, **dates}), "macros": has_macros}

    def pages(self, max_pages: int) -> Iterator[str]:
        """See `Reader.pages`. A slide and a sheet are a page; a text has one."""
        if self.format in ("xlsx", "ods"):
            yield from self._sheets(max_pages)
        elif self.format == "odp":
            yield from _split(_text(self._package, "content.xml", "page"), max_pages)
        else:
            parts = self._parts_of_pages()
            check_pages(len(parts), max_pages)
            yield from (_text(self._package, part) for part in parts)

    def _format(self) -> str:
        if (declared := self._package.read("mimetype", 200).decode("ascii", "replace").strip()) in _OPEN_DOCUMENTS:
            if b"encryption-data" in self._package.read("META-INF/manifest.xml"):
                raise password("document")
            return _OPEN_DOCUMENTS[declared]
        found = next((kind for kind, (part, _) in _KINDS.items() if part in self._package), "")
        if not found:
            raise unsupported("a zip archive that is no document")
        return found

    def _parts_of_pages(self) -> list[str]:
        if self.format == "docx":
            return [_KINDS["docx"][0]]
        if self.format == "pptx":
            return _slides(self._package)
        if self.format == "odt":
            return ["content.xml"]
        return _elements(self._package, *(("content.xml", "page") if self.format == "odp" else self._sheet_element()))

    def _sheet_element(self) -> tuple[str, str]:
        return ("content.xml", "table") if self.format == "ods" else ("xl/workbook.xml", "sheet")

    def _sheets(self, max_pages: int) -> Iterator[str]:
        from python_calamine import CalamineError, CalamineWorkbook, PasswordError

        try:
            workbook = CalamineWorkbook.from_path(self._source)
            check_pages(len(workbook.sheet_names), max_pages)
            for name in workbook.sheet_names:
                rows = workbook.get_sheet_by_name(name).to_python()
                yield plain("\n".join(["\t".join(map(str, row)).rstrip("\t") for row in rows]))
        except PasswordError:
            raise password("workbook") from None
        except CalamineError:
            raise corrupt("workbook") from None


def _properties(package: Package, part: str) -> dict[str, str]:
    found: dict[str, str] = {}
    current = [""]

    def start(tag: str, _found: Mapping[str, str]) -> None:
        current[0] = _PROPERTIES.get(tag, "")

    def text(characters: str) -> None:
        if current[0]:
            found[current[0]] = (found.get(current[0], "") + characters)[:2000]

    package.parse(part, start, lambda _tag: current.__setitem__(0, ""), text)
    return found


def _elements(package: Package, part: str, element: str) -> list[str]:
    found: list[str] = []
    package.parse(
        part, lambda tag, _found: found.append(tag) if tag == element else None, lambda _tag: None, lambda _text: None
    )
    return found


def _slides(package: Package) -> list[str]:
    """The parts of the slides, in the order in which they are shown (ECMA-376-1 §19.2.1.34)."""
    targets: dict[str, str] = {}
    order: list[str] = []
    relations = "ppt/_rels/presentation.xml.rels"

    def relation(tag: str, found: Mapping[str, str]) -> None:
        if tag == "Relationship":
            targets[found.get("Id", "")] = posixpath.normpath(posixpath.join("ppt", found.get("Target", "")))

    def slide(tag: str, found: Mapping[str, str]) -> None:
        if tag == "sldId":
            order.append(found.get("id", ""))

    if relations in package:
        package.parse(relations, relation, lambda _tag: None, lambda _text: None)
    package.parse("ppt/presentation.xml", slide, lambda _tag: None, lambda _text: None)
    return [part.lstrip("/") for name in order if (part := targets.get(name, "")) and part.lstrip("/") in package]


def _text(package: Package, part: str, page: str = "") -> str:
    """The text of a part; where `page` names an element, a form feed begins each of them."""
    if part not in package:
        raise BadFile(f"the document lacks its part {part}", "corrupt")
    writer = _Writer(page)
    package.parse(part, writer.start, writer.end, writer.text)
    return plain_pages("".join(writer.parts))


def plain_pages(text: str) -> str:
    """The text of a document, without empty lines in a row; form feeds stay."""
    pages = (re.sub(r"\n{3,}", "\n\n", plain(one)).strip("\n") for one in text.split("\f"))
    return "\f".join(pages)


def _split(text: str, max_pages: int) -> Iterator[str]:
    pages = text.split("\f")[1:]  # what comes before the first page is not on one
    check_pages(len(pages), max_pages)
    yield from pages


class _Writer:
    """Collects text: a line for each paragraph, a tab between cells."""

    def __init__(self, page: str) -> None:
        self.parts: list[str] = []
        self._page = page
        self._unseen = 0

    def start(self, tag: str, found: Mapping[str, str]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == self._page:
            self.parts.append("\f")
        elif tag == "s":  # OpenDocument: spaces
            count = found.get("c", "1")
            self.parts.append(" " * min(int(count) if count.isdecimal() else 1, _MAX_REPEATS))
        elif tag in ("tab", "br", "cr", "line-break"):
            self.parts.append("\t" if tag == "tab" else "\n")

    def end(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen -= 1
        elif tag in ("tc", "table-cell"):
            if self.parts and self.parts[-1] == "\n":
                self.parts.pop()  # the paragraph in the cell
            self.parts.append("\t")
        elif tag in ("tr", "table-row"):
            if self.parts and self.parts[-1] == "\t":
                self.parts.pop()
            self.parts.append("\n")
        elif tag in ("p", "h"):
            self.parts.append("\n")

    def text(self, characters: str) -> None:
        if not self._unseen:
            self.parts.append(characters)
