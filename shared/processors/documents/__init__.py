"""Documents: the statements of each kind about itself, its text, and pictures of its pages.

opening      START HERE: the kind of a document by its bytes, and its reader
readers      pdf (PDFium) · office (Word, Excel, PowerPoint) · opendocument · web (HTML) · mail · plaintext (and Markdown)
zipped XML   package (parts, limits) · relations · properties · flow (paragraphs, tables) · sheets, styles, numbers (Excel)
parts        reader (the form of all, refusals) · lines (text in pieces) · words (dates, cleaning) · writing (outputs)
"""

from shared.processors.documents.opening import opened
from shared.processors.documents.writing import write_pages, write_text

__all__ = ["opened", "write_pages", "write_text"]
