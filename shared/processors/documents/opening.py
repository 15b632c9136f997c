"""The kind of a document by its bytes, and the reader of that kind."""

import codecs
import re
from pathlib import Path

from shared import media
from shared.errors import BadFile
from shared.processors import charset
from shared.processors.documents.mail import Mail
from shared.processors.documents.office import Office
from shared.processors.documents.opendocument import OpenDocument
from shared.processors.documents.package import Package
from shared.processors.documents.pdf import Pdf
from shared.processors.documents.plaintext import PlainText
from shared.processors.documents.reader import Reader, password, unsupported
from shared.processors.documents.web import Html

HEAD_BYTES = 8192
#: The header of a PDF may come after other bytes (ISO 32000-2, annex I.2).
PDF_HEAD_BYTES = 1024
#: [MS-CFB] §2.2; the name of the stream that an encrypted Office document is kept in ([MS-OFFCRYPTO] §2.3.4.4).
_CFB, _ENCRYPTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "EncryptedPackage".encode("utf-16-le")
#: The first tags by which browsers find HTML (MIME Sniffing Standard §7.1). Possessive, so that a hostile head takes linear time.
_HTML = re.compile(
    r"\s*+(?:<\?xml[^>]*+>\s*+)?(?:<!--(?:(?!-->).)*+-->\s*+)*+"
    r"<(?:!doctype\s+html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|meta)(?=[\s/>]|$)",
    re.DOTALL | re.IGNORECASE,
)
#: RFC 5322 §2.2: the fields before the first empty line, each of a name and a value.
_FIELDS = re.compile(r"(?:From [^\n]*+\n)?((?:[!-9;-~]++:[^\n]*+(?:\n[ \t][^\n]*+)*+(?:\n|$))+)(?:\n|$)")
_MAIL_FIELD = re.compile(
    r"^(From|To|Cc|Subject|Date|Message-ID|MIME-Version|Received|Return-Path):", re.IGNORECASE | re.MULTILINE
)
_WRITTEN = (("{\\rtf", "an RTF document"), ("%!PS", "a PostScript file"))


def opened(source: Path) -> Reader:
    """The reader of this document. Raises `BadFile`."""
    with source.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if b"%PDF-" in head[:PDF_HEAD_BYTES]:
        return Pdf(source)
    if head.startswith(b"PK\x03\x04"):
        package = Package(source)
        return OpenDocument(package) if "mimetype" in package else Office(package)
    if head.startswith(_CFB):
        raise _compound(source)
    return _written(source, head)


def _written(source: Path, head: bytes) -> Reader:
    encoding = charset.detect(source) if b"\0" in head else "latin-1"
    if b"\0" in head and not encoding.startswith(("utf-16", "utf-32")):
        raise unsupported(f"a file of the type {media.sniff(head)}")
    text = head.removeprefix(codecs.BOM_UTF8).decode(encoding, "replace").lstrip("\ufeff").replace("\r\n", "\n")
    if kind := next((kind for magic, kind in _WRITTEN if text.startswith(magic)), ""):
        raise unsupported(kind)
    if _HTML.match(text):
        return Html(source)
    fields = _FIELDS.match(text)
    is_mail = fields and len({name.lower() for name in _MAIL_FIELD.findall(fields[1])}) >= 2
    return Mail(source) if is_mail else PlainText(source)


def _compound(source: Path) -> BadFile:
    with source.open("rb") as file:
        while block := file.read(1 << 20):
            if _ENCRYPTED in block:
                return password("document")
    return unsupported("an old Office document, or another file of its container", "save it as docx, xlsx or pptx")
