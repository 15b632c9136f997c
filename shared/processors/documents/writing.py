"""The outputs of documents: text, and pictures of pages."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.processors.document_options import PAGE_FORMATS, Pages, Text
from shared.processors.documents.pdf import Pdf
from shared.processors.documents.reader import Reader, check_pages, unsupported
from shared.processors.registry import Draft

_PAGE_BREAK = "\f"


def write_text(document: Reader, folder: Path, options: Text) -> Iterator[Draft | Mapping[str, Any]]:
    """Write `text.txt`, on request `pages.json`, a list with the text of each page. Raises `BadFile`."""
    whole, by_page = folder / "text.txt", folder / "pages.json"
    pages = words = characters = 0
    texts = []
    with whole.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
        for text in document.pages(options.max_pages):
            file.write(_PAGE_BREAK * bool(pages) + text)
            pages, words, characters = pages + 1, words + len(text.split()), characters + len(text)
            texts += [text] * options.by_page
    yield Draft(whole.name, "text/plain; charset=utf-8", whole)
    if options.by_page:
        by_page.write_text(json.dumps(texts, ensure_ascii=False), encoding="utf-8", errors="replace")
        yield Draft(by_page.name, "application/json", by_page)
    yield {"pages": pages, "words": words, "characters": characters}


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
