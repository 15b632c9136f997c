"""Facts, text and pages of documents: the processors and their limits. The work is in `documents/`."""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.model import Limits
from shared.processors.document_options import Facts, Pages, Text
from shared.processors.registry import Draft, processor


def _prepare() -> None:
    """Load the readers, and draw a sample: the fonts and the encoder are found on first use."""
    import pypdfium2

    from shared.processors import documents  # noqa: F401

    sample = pypdfium2.PdfDocument.new()
    sample.new_page(9, 9).render().to_pil().save(io.BytesIO(), "WEBP")
    sample.close()


@processor(
    "document.facts",
    version=1,
    options=Facts,
    outputs=lambda _options: (),
    limits=Limits(memory_bytes=512 << 20, seconds=60, output_bytes=1 << 20),
    prepare=_prepare,
)
def facts(source: Path, _folder: Path, _options: Facts) -> Iterator[Mapping[str, Any]]:
    """The format, title, author, dates and number of pages that a document states, and its parts."""
    # Imported with the first document: a service that only plans tasks never needs these libraries.
    from shared.processors import documents

    yield documents.opened(source).facts()


@processor(
    "document.text",
    version=1,
    options=Text,
    outputs=lambda options: ("text.txt", "pages.json") if options.by_page else ("text.txt",),
    limits=Limits(memory_bytes=512 << 20, seconds=120, output_bytes=64 << 20),
    prepare=_prepare,
)
def text(source: Path, folder: Path, options: Text) -> Iterator[Draft | Mapping[str, Any]]:
    """Write the text as UTF-8, a form feed between pages, and the number of its words and characters."""
    from shared.processors import documents

    yield from documents.write_text(documents.opened(source), folder, options)


@processor(
    "document.pages",
    version=1,
    options=Pages,
    outputs=lambda options: (f"*.{options.format}",),
    limits=Limits(memory_bytes=1 << 30, seconds=120, output_bytes=128 << 20),
    prepare=_prepare,
)
def pages(source: Path, folder: Path, options: Pages) -> Iterator[Draft | Mapping[str, Any]]:
    """Write a picture of each wanted page of a PDF, `1.webp` and so on, and the fact `pages`, their number in all."""
    from shared.processors import documents

    yield from documents.write_pages(documents.opened(source), folder, options)
