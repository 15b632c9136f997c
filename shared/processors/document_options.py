"""Options of the document processors, and their checks. No library here: every service checks options."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shared.errors import BadConfiguration

#: format option → content type
PAGE_FORMATS = {"webp": "image/webp", "png": "image/png", "jpeg": "image/jpeg"}
MAX_PAGES = 2000
MOST_MAX_PAGES = 100_000
MAX_EDGE_PX = 8192
#: A first and a last page, counted from 1; a page alone; `last` is the last one.
_RANGE = re.compile(r"([1-9][0-9]{0,5}|last)(?:-([1-9][0-9]{0,5}|last))?")


@dataclass(frozen=True, slots=True)
class Facts:
    """`document.facts` has no options: it reads what a document says about itself."""


@dataclass(frozen=True, slots=True)
class Text:
    """A document with more than `max_pages` pages is refused.

    With `by_page`, `pages.json` has the text of each page.
    """

    max_pages: int = MAX_PAGES
    by_page: bool = False

    def __post_init__(self) -> None:
        _check_max_pages(self.max_pages)
        if not isinstance(self.by_page, bool):
            raise BadConfiguration(f"options.by_page: {self.by_page!r}; write true or false")


@dataclass(frozen=True, slots=True)
class Pages:
    """`pages` are the wanted ones, such as `1`, `1-3` or `1-3,last`; `size_px` is the longest edge of each picture.

    A document with more than `max_pages` pages is refused. `quality` is that of `webp` and `jpeg`.
    """

    pages: str = "1"
    size_px: int = 1536
    format: str = "webp"
    quality: int = 80
    max_pages: int = MAX_PAGES

    def __post_init__(self) -> None:
        parts = self.pages.split(",") if isinstance(self.pages, str) else []
        if not parts or not all(_RANGE.fullmatch(part.strip()) for part in parts):
            raise BadConfiguration(f'options.pages: {self.pages!r}; write pages such as "1", "1-3" or "1-3,last"')
        if self.format not in PAGE_FORMATS:
            raise BadConfiguration(f"options.format: {self.format!r}; write one of {', '.join(PAGE_FORMATS)}")
        for option, value, most in (("size_px", self.size_px, MAX_EDGE_PX), ("quality", self.quality, 100)):
            if not _is_whole(value, most):
                raise BadConfiguration(f"options.{option}: {value!r}; write a whole number from 1 to {most}")
        _check_max_pages(self.max_pages)

    def chosen(self, count: int) -> list[int]:
        """The wanted pages that a document of so many has, counted from 1, each once, in their order."""
        found = (page for part in self.pages.split(",") for page in _pages(part.strip(), count))
        return list(dict.fromkeys(page for page in found if page <= count))


def _pages(part: str, count: int) -> Iterator[int]:
    first, _, last = part.partition("-")
    start = count if first == "last" else int(first)
    end = count if last == "last" else int(last or start)
    yield from range(start, min(end, count) + 1)


def _check_max_pages(value: object) -> None:
    if not _is_whole(value, MOST_MAX_PAGES):
        raise BadConfiguration(f"options.max_pages: {value!r}; write a whole number from 1 to {MOST_MAX_PAGES}")


def _is_whole(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most
