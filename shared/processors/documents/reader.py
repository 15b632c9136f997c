"""The form of the readers of documents, and their refusals."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from shared.errors import BadFile

#: Between two pages of a text; no page has it inside.
PAGE_BREAK = "\f"


class Reader(Protocol):
    """An open document."""

    def facts(self) -> Mapping[str, Any]:
        """The statements of the document about itself; a missing one is left out. Raises `BadFile`."""

    def text(self, max_pages: int) -> Iterator[str]:
        """The text in pieces, and a piece `PAGE_BREAK` between two pages, slides or sheets. Raises `BadFile`."""


def check_pages(count: int, max_pages: int) -> None:
    """Refuse a document with more pages. Raises `BadFile`."""
    if count > max_pages:
        raise BadFile(f"the document has more than {max_pages:,} pages, the most that its step takes", "too_many_pages")


def password(kind: str) -> BadFile:
    """The refusal of a locked document."""
    return BadFile(f"the {kind} is locked with a password; save it without one", "password")


def corrupt(kind: str) -> BadFile:
    """The refusal of a damaged document."""
    return BadFile(f"the {kind} is damaged and cannot be read", "corrupt")


def unpacks_too_large(fault: str) -> BadFile:
    """The refusal of a bomb."""
    return BadFile(f"{fault}; split it into smaller documents", "unpacks_too_large")


def unsupported(kind: str, remedy: str = "send a PDF, docx, xlsx, pptx, odt, ods, odp, HTML, text or e-mail") -> BadFile:
    """The refusal of another kind of file."""
    return BadFile(f"{kind} cannot be read; {remedy}", "unsupported")
