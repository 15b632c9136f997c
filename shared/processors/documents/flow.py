"""The text of WordprocessingML, DrawingML and OpenDocument, by the local names of their elements."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from shared.processors.documents.lines import Lines
from shared.processors.documents.package import attribute
from shared.processors.documents.reader import PAGE_BREAK, check_pages, unpacks_too_large

#: Characters that the repeated cells and rows of one document may make together.
MAX_REPEATED = 4 << 20
#: Most spaces, cells or rows that one element may stand for; a sheet of Excel has 16,384 columns.
MAX_REPEATS = 16_384
_ROWS = frozenset({"tr", "table-row"})
_CELLS = frozenset({"tc", "table-cell", "covered-table-cell"})
_MARKS = {"tab": "\t", "ptab": "\t", "noBreakHyphen": "-"}
_BREAKS = frozenset({"br", "cr", "line-break"})
_BREAKS_IN_CELL = re.compile(r"[\n\t]+")


@dataclass(frozen=True, slots=True)
class Words:
    """The elements of one kind of XML: `visible` ones hold text, `unseen` ones hide it.

    Text outside the elements `inside`, if there are some, does not count; where it `is_paged`, each of them is a page.
    """

    visible: frozenset[str]
    unseen: frozenset[str]
    inside: frozenset[str] = frozenset()
    is_paged: bool = False


#: ECMA-376-1 §17 and §21. Text that is deleted or moved away is no text of the document, nor are codes of fields and the numbers
#: of slides. A fallback repeats the choice beside it. A `tab` in the properties of a paragraph is a position.
OFFICE = Words(frozenset({"t"}), frozenset({"pPr", "rPr", "del", "moveFrom", "delText", "instrText", "Fallback", "fld"}))
#: OpenDocument 1.3 part 3, §5 and §6. Titles and descriptions of frames stand for pictures.
_UNSEEN = frozenset({"tracked-changes", "annotation", "note-citation", "svg:title", "svg:desc", "binary-data"})
OPEN = frozenset({"p", "h"})
OPEN_TEXT = Words(OPEN, _UNSEEN)
OPEN_SLIDES = Words(OPEN, _UNSEEN, frozenset({"page"}), is_paged=True)
OPEN_SHEETS = Words(OPEN, _UNSEEN, frozenset({"table"}), is_paged=True)
#: Headers and footers are styles of pages (§16.10).
OPEN_HEADERS = Words(OPEN, _UNSEEN, frozenset({"header", "header-first", "header-left"}))
OPEN_FOOTERS = Words(OPEN, _UNSEEN, frozenset({"footer", "footer-first", "footer-left"}))


class Flow:
    """A line for each paragraph and row, a tab between cells. OpenDocument's notes follow at the end of their page."""

    def __init__(self, words: Words, lines: Lines, max_pages: int = 1) -> None:
        self._words, self._max_pages = words, max_pages
        self._pages = self._in_inside = self._in_visible = self._in_unseen = 0
        self._text, self._notes = lines, Lines()
        #: Where text goes: the page, or an open row, cell or note, and how many times.
        self._open: list[tuple[Lines, int]] = [(self._text, 1)]
        self._rows = self._cells = self._repeated = 0
        self._pieces: list[str] = []

    def start(self, tag: str, found: Mapping[str, str]) -> None:
        """See `Handler`."""
        self._in_unseen += tag in self._words.unseen
        self._in_visible += tag in self._words.visible
        if tag in self._words.inside:
            self._begin_inside()
        elif tag in _ROWS:
            self._begin(found, "number-rows-repeated", self._rows)
            self._rows += 1
        elif tag in _CELLS:
            self._begin(found, "number-columns-repeated", self._cells)
            self._cells += 1
        elif tag == "note-body":
            self._open.append((self._notes, 1))
        elif self._counts():
            self._mark(tag, found)

    def end(self, tag: str) -> None:
        """See `Handler`."""
        self._in_unseen -= tag in self._words.unseen
        self._in_visible -= tag in self._words.visible
        if tag in self._words.inside:
            self._in_inside -= 1
        elif tag in _ROWS:
            self._rows -= 1
            self._end("")
        elif tag in _CELLS:
            self._cells -= 1
            self._end("\t")
        elif tag == "note-body":
            self._open.pop()
        elif tag in ("p", "h") and not self._in_unseen:
            self._open[-1][0].end_line()

    def text(self, characters: str) -> None:
        """See `Handler`."""
        if self._in_visible and self._counts():
            self._open[-1][0].add(characters)

    def end_part(self) -> None:
        """The notes; an empty line before them and before whatever follows."""
        self._text.end_line()
        self._text.add(self._notes.taken())
        self._text.end_line()
        self._notes.end_page()

    def taken(self) -> Iterator[str]:
        """The pieces since the last call; those of an open row wait for its end."""
        yield from (*self._pieces, self._text.taken())
        self._pieces.clear()

    def _mark(self, tag: str, found: Mapping[str, str]) -> None:
        lines = self._open[-1][0]
        if tag == "s":
            lines.add(" " * _repeats(found, "c"))
        elif tag in _BREAKS:
            lines.end_line()
        else:
            lines.add(_MARKS.get(tag, ""))

    def _counts(self) -> bool:
        return not self._in_unseen and (self._in_inside > 0 or not self._words.inside)

    def _begin_inside(self) -> None:
        self._in_inside += 1
        if self._in_inside > 1 or not self._words.is_paged:
            return  # a table inside a cell is no page
        self._pages += 1
        check_pages(self._pages, self._max_pages)
        if self._pages > 1:
            self.end_part()
            self._pieces += [self._text.taken(), PAGE_BREAK]
            self._text.end_page()

    def _begin(self, found: Mapping[str, str], name: str, depth: int) -> None:
        lines = self._open[-1][0] if depth else Lines()
        self._open.append((lines, 1 if depth else _repeats(found, name)))

    def _end(self, mark: str) -> None:
        lines, repeats = self._open.pop()
        outer = self._open[-1][0]
        if lines is outer:  # a table inside a cell
            outer.end_line()
        elif mark:
            self._add(_BREAKS_IN_CELL.sub(" ", lines.taken()), repeats, outer, outer.end_cell)
        else:
            self._add(lines.taken(), repeats, outer, outer.end_line)

    def _add(self, text: str, repeats: int, lines: Lines, end: Callable[[], None]) -> None:
        self._repeated += len(text) * (repeats - 1)
        if self._repeated > MAX_REPEATED:
            raise unpacks_too_large("the repeated cells of the document have too much text")
        for _ in range(repeats):
            lines.add(text)
            end()


def _repeats(found: Mapping[str, str], name: str) -> int:
    count = attribute(found, name)
    return min(int(count), MAX_REPEATS) if count.isascii() and count.isdecimal() and len(count) < 10 else 1
