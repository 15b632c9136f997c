"""E-mail: facts, text, attachments as facts. Names of attachments are texts, never paths."""

import email
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from shared.processors.documents.web import text_of_html
from shared.processors.documents.words import plain, stated

MAX_ATTACHMENTS = 100
_FIELDS = {"subject": "title", "from": "author", "to": "to", "cc": "cc", "message-id": "message_id"}


class Mail:
    """A message."""

    def __init__(self, source: Path) -> None:
        with source.open("rb") as file:
            message = email.message_from_binary_file(file, policy=default)
        assert isinstance(message, EmailMessage)
        self._message = message

    def facts(self) -> Mapping[str, Any]:
        """See `Reader.facts`."""
        found = {fact: _field(self._message, name) for name, fact in _FIELDS.items()}
        attachments = [_attachment(part) for part in _attachments(self._message)]
        return {
            "format": "mail",
            **stated({**found, "created_at": _date(self._message), "attachments": attachments[:MAX_ATTACHMENTS]}),
            "attachment_count": len(attachments),
        }

    def pages(self, _max_pages: int) -> Iterator[str]:
        """See `Reader.pages`."""
        body = self._message.get_body(("plain", "html"))
        text = _content(body) if body else ""
        yield text_of_html(text) if body and body.get_content_subtype() == "html" else plain(text)


def _attachments(message: EmailMessage) -> Iterator[EmailMessage]:
    return (part for part in message.walk() if isinstance(part, EmailMessage) and part.get_filename())


def _attachment(part: EmailMessage) -> dict[str, Any]:
    data = part.get_payload(decode=True)
    size = len(data) if isinstance(data, bytes) else 0
    return {"name": plain(part.get_filename() or "")[:200], "content_type": part.get_content_type(), "size": size}


def _content(part: Any) -> str:
    """The text of a part, also of one that names an unknown encoding."""
    data = part.get_payload(decode=True) or b""
    try:
        return str(data.decode(part.get_content_charset() or "utf-8", "replace"))
    except LookupError:
        return str(data.decode("utf-8", "replace"))


def _field(message: EmailMessage, name: str) -> str:
    try:
        return str(message.get(name, ""))
    except (ValueError, IndexError, AttributeError, TypeError):  # the parser of headers fails on some malformed ones
        return ""


def _date(message: EmailMessage) -> str:
    try:
        found = message["date"]
        return str(found.datetime.isoformat()) if found and found.datetime else ""
    except (ValueError, IndexError, AttributeError, TypeError):
        return ""
