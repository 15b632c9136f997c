"""E-mail: facts, text, attachments as facts. Names of attachments are texts, never paths."""

import email
import re
from collections.abc import Iterator, Mapping
from email.header import decode_header
from email.message import Message
from email.policy import compat32
from email.utils import parsedate_to_datetime
from itertools import islice
from pathlib import Path
from typing import Any

from shared.errors import BadFile
from shared.processors import charset
from shared.processors.documents.reader import unsupported
from shared.processors.documents.web import text_of_html
from shared.processors.documents.words import plain, stated

MAX_ATTACHMENTS = 100
#: Parts inside each other; the parser calls itself for each.
MAX_DEPTH = 50
#: Longest header that is read, in characters.
_MAX_HEADER = 10_000
_FIELDS = {"subject": "title", "from": "author", "to": "to", "cc": "cc", "message-id": "message_id"}
#: A mailbox (RFC 4155) repeats the line that a stored message may begin with.
_NEXT_MESSAGE = re.compile(rb"\r?\n\r?\nFrom [^\r\n]*\r?\n[A-Za-z-]+:")
_BLOCK_BYTES = 1 << 20
_MAX_LINE = 1000


class Mail:
    """A message."""

    def __init__(self, source: Path) -> None:
        """Raises `BadFile`."""
        _refuse_mailbox(source)
        with source.open("rb") as file:
            try:
                self._message: Message = email.message_from_binary_file(file, policy=compat32)
            except RecursionError:
                raise _too_deep() from None

    def facts(self) -> Mapping[str, Any]:
        """See `Reader.facts`."""
        found = {fact: _field(self._message, name) for name, fact in _FIELDS.items()}
        attachments = [part for part in _leaves(self._message) if _is_attached(part)]
        listed = [_attachment(part) for part in islice(attachments, MAX_ATTACHMENTS)]
        dated = {"created_at": _date(self._message)}
        return {"format": "mail", **stated({**found, **dated, "attachments": listed}), "attachment_count": len(attachments)}

    def text(self, _max_pages: int) -> Iterator[str]:
        """See `Reader.text`. Of alternatives the plain one; attached messages are attachments, not text."""
        is_later = False
        for part in _leaves(self._message, is_chosen=True):
            kind = part.get_content_type()
            if not _is_attached(part) and kind in ("text/plain", "text/html"):
                text = _content(part)
                text = text_of_html(text) if kind == "text/html" else plain(text)
                yield "\n" * is_later + text
                is_later = True


def _leaves(message: Message, is_chosen: bool = False) -> Iterator[Message]:
    """The parts that have no parts, and attached messages; with `is_chosen` one of several alternatives."""
    waiting = [(message, 0)]
    while waiting:
        part, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise _too_deep()
        if not part.is_multipart() or (part.get_content_maintype() != "multipart" and depth):
            yield part
            continue
        parts = [one for one in part.get_payload() if isinstance(one, Message)]
        if is_chosen and part.get_content_subtype() == "alternative":
            parts = [next((one for one in parts if _is_plain(one)), parts[-1])] if parts else []
        waiting += [(one, depth + 1) for one in reversed(parts)]


def _is_plain(part: Message) -> bool:
    return part.get_content_type() == "text/plain"


def _is_attached(part: Message) -> bool:
    return bool(part.get_content_maintype() == "message" or _name(part)) or part.get_content_disposition() == "attachment"


def _attachment(part: Message) -> dict[str, Any]:
    """The size is that of the decoded bytes; an attached message has none."""
    data = part.get_payload(decode=True)
    sized = {"size": len(data)} if isinstance(data, bytes) else {}
    named = {"name": name} if (name := _name(part)) else {}
    return {**named, "content_type": plain(part.get_content_type())[:200], **sized}


def _name(part: Message) -> str:
    """The name of an attachment: RFC 2231, or the encoded words of RFC 2047 that many programs write instead."""
    try:
        found = part.get_filename() or ""
    except (ValueError, LookupError, TypeError):  # a malformed parameter
        return ""
    return " ".join(_decoded(str(found)).split())[:200]


def _content(part: Message) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    try:
        label = part.get_content_charset() or ""
    except (ValueError, LookupError, TypeError):
        label = ""
    return data.decode(charset.named(label) or _utf8_or_8_bit(data), "replace")


def _field(message: Message, name: str) -> str:
    """The first field of this name. The parser keeps bytes beyond ASCII as surrogates."""
    raw = next((str(value) for key, value in message.raw_items() if key.lower() == name), "")
    data = raw[:_MAX_HEADER].encode("utf-8", "surrogateescape")
    return _decoded(data.decode(_utf8_or_8_bit(data), "replace"))


def _decoded(text: str) -> str:
    """The header with its encoded words as text; as it is where they are malformed."""
    try:
        parts = decode_header(re.sub(r"\r?\n", "", text[:_MAX_HEADER]))
    except (ValueError, LookupError):  # `HeaderParseError` is one of the former
        return plain(text)
    return plain("".join(part if isinstance(part, str) else _word(part, label) for part, label in parts))


def _word(data: bytes, label: str | None) -> str:
    name = charset.named(label.partition("*")[0]) if label else ""
    return data.decode(name or _utf8_or_8_bit(data), "replace")


def _utf8_or_8_bit(data: bytes) -> str:
    try:
        data.decode()
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _date(message: Message) -> str:
    """ISO 8601; without an offset where the sender's zone is unknown. Empty for no date."""
    try:
        return parsedate_to_datetime(_field(message, "date")).isoformat()
    except (ValueError, LookupError, TypeError, OverflowError, AttributeError):  # the parser fails in many ways
        return ""


def _refuse_mailbox(source: Path) -> None:
    with source.open("rb") as file:
        tail = file.read(_BLOCK_BYTES)
        if not tail.startswith(b"From "):
            return
        while tail:
            if _NEXT_MESSAGE.search(tail):
                raise unsupported("a mailbox of several messages", "send each message as a file of its own")
            block = file.read(_BLOCK_BYTES)
            tail = tail[-_MAX_LINE:] + block if block else b""


def _too_deep() -> BadFile:
    return BadFile(f"the message has more than {MAX_DEPTH} parts inside each other; send the inner ones", "corrupt")
