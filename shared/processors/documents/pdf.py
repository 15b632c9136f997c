"""PDF by PDFium: facts, text by page, pictures of pages. It runs no script, and fetches nothing."""

import ctypes
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image

from shared.errors import BadFile
from shared.processors.documents.reader import PAGE_BREAK, check_pages, corrupt, password, unsupported
from shared.processors.documents.words import pdf_date, plain, stated

#: Sizes of pages that are listed, the most frequent first.
MAX_SIZES = 5
#: Pages whose sizes are read.
MAX_MEASURED = 1000
#: A hyphen at the end of a line, which PDFium marks, and the rest of the word.
_BROKEN_WORD = re.compile("[\x02\ufffe]\r?\n?")
#: ISO 32000-2 §14.3.3 → our names
_STATED = {"Title": "title", "Author": "author", "Subject": "subject", "Keywords": "keywords", "Creator": "creator"}
_FORMS = {pdfium.FORMTYPE_ACRO_FORM: "acroform", pdfium.FORMTYPE_XFA_FULL: "xfa", pdfium.FORMTYPE_XFA_FOREGROUND: "xfa"}


class Pdf:
    """An open PDF. A locked or damaged one is refused when it is opened."""

    def __init__(self, source: Path) -> None:
        """Raises `BadFile`."""
        # PDFium names no error for a file without pages: without this one, that of an earlier file would stand.
        pdfium.FPDF_LoadMemDocument64(b"", 0, None)
        try:
            self._document = pypdfium2.PdfDocument(source)
        except pypdfium2.PdfiumError as error:
            raise _refusal(error.err_code) from None
        self.count = len(self._document)

    def facts(self) -> Mapping[str, Any]:
        """See `Reader.facts`. Sizes are in points, 1/72 inch."""
        document, raw = self._document, self._document.raw
        version = document.get_version()
        info = {name: self._value(key) for key, name in _STATED.items()}
        dates = {"created_at": pdf_date(self._value("CreationDate")), "modified_at": pdf_date(self._value("ModDate"))}
        more = {
            "version": f"{version // 10}.{version % 10}" if version else "",
            "producer": self._value("Producer"),
            "page_sizes_pt": self._sizes(),
            "form": _FORMS.get(document.get_formtype(), ""),
        }
        flags = {
            "attachment_count": document.count_attachments(),
            "encrypted": pdfium.FPDF_GetSecurityHandlerRevision(raw) >= 0,
            "signed": pdfium.FPDF_GetSignatureCount(raw) > 0,
            "tagged": document.is_tagged(),
        }
        return {"format": "pdf", "pages": self.count, **stated({**info, **dates, **more}), **flags}

    def text(self, max_pages: int) -> Iterator[str]:
        """See `Reader.text`."""
        check_pages(self.count, max_pages)
        for number in range(self.count):
            if number:
                yield PAGE_BREAK
            yield plain(_BROKEN_WORD.sub("", self._text(number)))

    def pictures(self, numbers: list[int], size_px: int) -> Iterator[tuple[int, Image.Image]]:
        """Each of these pages, counted from 1, as a picture with this longest edge, on white, with filled-in forms."""
        self._document.init_forms()
        for number in numbers:
            page = self._page(number - 1)
            width, height = page.get_size()
            if not (0 < width < float("inf") and 0 < height < float("inf")):
                raise BadFile(f"page {number} has no area", "corrupt")
            # A page of 1 × 10,000 points would have no pixel across.
            scale = size_px / max(width, height)
            yield number, page.render(scale=scale).to_pil()
            page.close()

    def _text(self, number: int) -> str:
        page = self._page(number)
        try:
            text = page.get_textpage()
            return str(text.get_text_bounded(errors="replace"))
        except pypdfium2.PdfiumError:
            raise _damaged(number) from None
        finally:
            page.close()  # and its text

    def _page(self, number: int) -> Any:
        try:
            return self._document[number]
        except pypdfium2.PdfiumError:
            raise _damaged(number) from None

    def _value(self, key: str) -> str:
        """An entry of the information dictionary; pypdfium2's own method fails at half a surrogate."""
        name = key.encode()
        size = pdfium.FPDF_GetMetaText(self._document, name, None, 0)
        buffer = ctypes.create_string_buffer(size)
        pdfium.FPDF_GetMetaText(self._document, name, buffer, size)
        return buffer.raw[:-2].decode("utf-16-le", "replace")

    def _sizes(self) -> list[str]:
        """Those of the pages that can be read. Raises `BadFile` without any."""
        measured = Counter(filter(None, map(self._size, range(min(self.count, MAX_MEASURED)))))
        if not measured:
            raise corrupt("PDF")
        return [size for size, _ in measured.most_common(MAX_SIZES)]

    def _size(self, number: int) -> str:
        try:
            width, height = self._document.get_page_size(number)
        except pypdfium2.PdfiumError:
            return ""
        return f"{width:.0f}×{height:.0f}"


def _damaged(number: int) -> BadFile:
    return corrupt(f"PDF's page {number + 1}")


def _refusal(error: int | None) -> BadFile:
    if error == pdfium.FPDF_ERR_PASSWORD:
        return password("PDF")
    if error == pdfium.FPDF_ERR_SECURITY:
        return unsupported("a PDF with this kind of encryption", "save it without encryption")
    return corrupt("PDF")
