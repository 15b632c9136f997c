"""The outputs of documents: text, and pictures of pages."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from shared.processors.counting import Counted
from shared.processors.document_options import PAGE_FORMATS, Pages, Text
from shared.processors.documents.pdf import Pdf
from shared.processors.documents.reader import PAGE_BREAK, Reader, check_pages, unsupported
from shared.processors.registry import Draft


def write_text(document: Reader, folder: Path, options: Text) -> Iterator[Draft | Mapping[str, Any]]:
    """Write `text.txt`, on request `pages.json`, a list with the text of each page. Raises `BadFile`."""
    whole, by_page = folder / "text.txt", folder / "pages.json"
    pages, counted = 1, Counted()
    with ExitStack() as files:
        file = files.enter_context(whole.open("w", encoding="utf-8", errors="replace", newline="\n"))
        listed = files.enter_context(_Listed(by_page)) if options.by_page else None
        for text in document.text(options.max_pages):
            pages += text == PAGE_BREAK
            file.write(text)
            counted.add(text)
            if listed:
                listed.add(text)
    yield Draft(whole.name, "text/plain; charset=utf-8", whole)
    if options.by_page:
        yield Draft(by_page.name, "application/json", by_page)
    yield {"pages": pages, "words": counted.words, "characters": counted.characters - (pages - 1)}


class _Listed:
    """A file with a JSON list of texts that come in pieces."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> "_Listed":
        self._file: IO[str] = self._path.open("w", encoding="utf-8", errors="replace")
        self._file.write('["')
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.write('"]')
        self._file.close()

    def add(self, text: str) -> None:
        """Append a piece to the last text, or begin the next one."""
        self._file.write('", "' if text == PAGE_BREAK else json.dumps(text, ensure_ascii=False)[1:-1])


def write_pages(document: Reader, folder: Path, options: Pages) -> Iterator[Draft | Mapping[str, Any]]:
    """Write a picture of each wanted page. Raises `BadFile`."""
    if not isinstance(document, Pdf):
        raise unsupported("a document that is no PDF", "convert it to PDF first")
    check_pages(document.count, options.max_pages)
    yield {"pages": document.count}
    for number, picture in document.pictures(options.chosen(document.count), options.size_px):
        path = folder / f"{number}.{options.format}"
        picture.save(path, options.format.upper(), quality=options.quality)
        facts = {"page": number, "width_px": picture.width, "height_px": picture.height}
        yield Draft(path.name, PAGE_FORMATS[options.format], path, facts)
