"""Documents: what each kind states about itself, its text, and pictures of its pages.

opening    the kind of a document by its bytes; the reader of that kind
readers    pdf (PDFium) · office (Word, Excel, PowerPoint, OpenDocument) · web (HTML, plain text) · mail
parts      reader (what each of them gives) · package (zipped XML) · words (dates, cleaning) · writing (outputs)
"""

from shared.processors.documents.opening import opened
from shared.processors.documents.writing import write_pages, write_text

__all__ = ["opened", "write_pages", "write_text"]
