"""Files of every kind with bytes changed, cut and repeated: each ends with facts, or with a reason of its own."""

import random
from collections.abc import Iterator

import pytest

from shared.errors import BadFile
from shared.testing import run_processor
from tests.unit.document import pdfs
from tests.unit.document.offices import cell, docx, open_document, paragraph, pptx, xlsx

#: More are made by hand when a reader changes; each found fault becomes a test of its own.
ROUNDS = 12
REASONS = {"corrupt", "password", "unsupported", "too_many_pages", "unpacks_too_large", "not_a_text", "no_output"}
MAIL = (
    b"From: =?utf-8?q?J=C3=BCrgen?= <j@b.c>\nSubject: Hi\nDate: Wed, 31 Jan 2024 12:00:00 +0100\n"
    b'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/html; charset=utf-8\n\n<p>body\n--b\n'
    b"Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n"
    b"Content-Disposition: attachment; filename*=utf-8''a%20b\n\nMTIz\n--b--\n"
)
PAGE = (
    b"<!DOCTYPE html><html lang=de><meta charset=cp1252><title>T</title><body><table><td>a<td>b</table><!-- c --><pre>x &amp;\n"
)
FILES: dict[str, bytes] = {
    "pdf": pdfs.pdf(["Hello", "world"], "/Title (T) /CreationDate (D:20240131120000+01'00')"),
    "docx": docx(paragraph("Hello") + "<w:tbl><w:tr><w:tc>x</w:tc></w:tr></w:tbl>"),
    "xlsx": xlsx(("A", f"<row>{cell('A1', 'x')}<c r='B1'><v>1.5</v></c></row>")),
    "pptx": pptx("a", "b"),
    "ods": open_document("spreadsheet", "<table:table><table:table-row><table:table-cell/></table:table-row></table:table>"),
    "mail": MAIL,
    "html": PAGE,
    "json": b'{"a": [1.5e3, true, null, "\\u00e4"], "b": {}}',
    "xml": b'<?xml version="1.0" encoding="iso-8859-1"?><!DOCTYPE a [<!ENTITY e "x">]><a b="c">&e;</a>',
}


def changed(data: bytes, dice: random.Random) -> bytes:
    """The bytes with a few faults."""
    for _ in range(dice.randint(1, 6)):
        data = fault(data, dice)[:20_000]
    return data or b"x"


def fault(data: bytes, dice: random.Random) -> bytes:
    """The bytes with one of them changed, a piece left out, a piece repeated, or other bytes between."""
    at, to = sorted(dice.randrange(len(data) + 1) for _ in range(2))
    inserted = dice.choice([b"\0", b"\xff" * 4, b"<", b'"', b"-1", b"99999999999"])
    changed = bytes([dice.randrange(256)]) + data[at + 1 :]
    return dice.choice([data[:at] + changed, data[:at] + data[to:], data[:to] + data[at:], data[:at] + inserted + data[at:]])


def ends(data: bytes) -> Iterator[str]:
    """How each processor ends with these bytes."""
    for name in ("document.facts", "document.text", "document.pages", "text.facts"):
        options = {"size_px": 16, "format": "png"} if name == "document.pages" else {}
        try:
            run_processor(name, data, **options)
        except BadFile as error:
            yield error.code


@pytest.mark.parametrize("kind", FILES)
def test_a_damaged_file_has_facts_or_a_reason(kind: str) -> None:
    dice = random.Random(kind)
    found = {code for _ in range(ROUNDS) for code in ends(changed(FILES[kind], dice))}

    assert found <= REASONS
