"""The kind of a document by its bytes, and the reader of that kind."""

import codecs
import re
from pathlib import Path

from shared.errors import BadFile
from shared.processors.documents.mail import Mail
from shared.processors.documents.office import Office
from shared.processors.documents.pdf import Pdf
from shared.processors.documents.reader import Reader, password, unsupported
from shared.processors.documents.web import Html, PlainText

HEAD_BYTES = 8192
#: The header of a PDF may come after other bytes (ISO 32000-2, annex I.2).
PDF_HEAD_BYTES = 1024
#: [MS-CFB] §2.2; the name of the stream that an encrypted Office document is kept in ([MS-OFFCRYPTO] §2.3.4.4).
_CFB, _ENCRYPTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "EncryptedPackage".encode("utf-16-le")
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.DOTALL | re.IGNORECASE
)
#: RFC 5322 §3.6: fields that a message begins with.
_MAIL = re.compile(
    rb"(?:From |(?:Return-Path|Received|Delivered-To|Message-ID|MIME-Version|From|To|Subject|Date|DKIM-Signature"
    rb"|ARC-Seal|X-[\w-]+|Authentication-Results):)",
    re.IGNORECASE,
)
_FIELD = re.compile(rb"^(?:From|To|Subject|Date|Message-ID|MIME-Version|Received):", re.IGNORECASE | re.MULTILINE)
_OTHERS = ((b"{\\rtf", "a RTF document"), (b"%!PS", "a PostScript file"), (b"\x7fELF", "a program"), (b"MZ", "a program"))


def opened(source: Path) -> Reader:
    """The reader of this document. Raises `BadFile`."""
    with source.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if b"%PDF-" in head[:PDF_HEAD_BYTES]:
        return Pdf(source)
    if head.startswith(b"PK\x03\x04"):
        return Office(source)
    if head.startswith(_CFB):
        raise _compound(source)
    return _written(source, head)


def _written(source: Path, head: bytes) -> Reader:
    kind = next((kind for magic, kind in _OTHERS if head.startswith(magic)), "")
    if not kind and b"\0" in head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        kind = "a file of this kind"
    if kind:
        raise unsupported(kind)
    if _HTML.match(head.removeprefix(codecs.BOM_UTF8)):
        return Html(source)
    return Mail(source) if _MAIL.match(head) and len(set(_FIELD.findall(head))) >= 2 else PlainText(source)


def _compound(source: Path) -> BadFile:
    with source.open("rb") as file:
        while block := file.read(1 << 20):
            if _ENCRYPTED in block:
                return password("document")
    return unsupported("a document of Office 97", "save it as docx, xlsx or pptx")
