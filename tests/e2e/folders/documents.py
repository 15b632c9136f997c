"""Documents, tables and texts, good and broken, and the table of how each ends; always the same."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb

from tests.e2e.folders.sending import PARTIAL, Sent
from tests.unit.document import offices, pdfs
from tests.unit.media import containers


def every() -> list[Sent]:
    """All files, by folder: those of one kind."""
    return [*documents(), *offices_(), *pages(), *texts(), *markup(), *tables(), *broken(), *others()]


def documents() -> Iterator[Sent]:
    """PDFs of some pages, and one that states its title."""
    for count in range(1, 9):
        yield Sent(f"pdf/{count}.pdf", pdfs.pdf(["two words"] * count), "text", {"pages": count, "words": 2 * count})
    titled = pdfs.pdf(["x"], info="/Title (Plan B) /Author (Ada)")
    yield Sent("pdf/titled.pdf", titled, "document", {"title": "Plan B", "author": "Ada", "format": "pdf"})


def offices_() -> Iterator[Sent]:
    """Files of Office and OpenDocument."""
    for count in range(1, 9):
        body = offices.paragraph("one two three") * count
        yield Sent(f"office/{count}.docx", offices.docx(body), "text", {"words": 3 * count})
        slides = offices.pptx(*["two words"] * count)
        yield Sent(f"office/{count}.pptx", slides, "text", {"pages": count, "words": 2 * count})
        rows = f'<row r="1">{offices.cell("A1", "cat")}</row>'
        sheets = [(f"S{number}", rows) for number in range(count)]
        yield Sent(f"office/{count}.xlsx", offices.xlsx(*sheets), "document", {"format": "xlsx", "pages": count})
    for count in range(1, 6):
        paragraphs = "<text:p>two words</text:p>" * count
        yield Sent(f"office/{count}.odt", offices.open_document("text", paragraphs), "text", {"words": 2 * count})
        slide = "<draw:page><text:p>two words</text:p></draw:page>" * count
        yield Sent(f"office/{count}.odp", offices.open_document("presentation", slide), "text", {"pages": count})
    stated = {"format": "docx", "title": "Plan B", "author": "Ada", "macros": False}
    yield Sent("office/stated.docx", offices.docx(""), "document", stated)
    macros = offices.docx(offices.paragraph("a"), {"word/vbaProject.bin": b"x"})
    yield Sent("office/macros.docx", macros, "document", {"macros": True})


def pages() -> Iterator[Sent]:
    """Pages of HTML, and e-mails."""
    for count in range(1, 9):
        body = '<p>two words <a href="x">link</a></p>' * count
        html = f"<!doctype html><html><head><title>Page {count}</title></head><body>{body}</body></html>"
        yield Sent(f"html/{count}.html", html.encode(), "document", {"title": f"Page {count}", "links": count})
        mail = f"From: Ada <a@b.c>\r\nTo: bo@b.c\r\nSubject: Hello {count}\r\n\r\n" + "two words\r\n" * count
        yield Sent(f"mail/{count}.eml", mail.encode(), "text", {"words": 2 * count})
    yield Sent("html/old.htm", "<html><title>Käse</title></html>".encode("cp1252"), "document", {"format": "html"})


def texts() -> Iterator[Sent]:
    """Plain texts in the usual encodings."""
    for count in range(1, 16):
        counted = {"lines": count, "words": 3 * count, "characters": 14 * count, "encoding": "utf-8"}
        yield Sent(f"text/{count}.txt", b"one two three\n" * count, "lines", counted)
    for count in range(1, 6):
        markdown = b"# Title\n\n" + b"- item\n" * count
        yield Sent(f"text/{count}.md", markdown, "lines", {"lines": 2 + count, "words": 2 + 2 * count})
    for name, encoding in (("mark", "utf-8-sig"), ("wide", "utf-16"), ("western", "cp1252")):
        data = "Käse und Öl für 3 €\n".encode(encoding)
        yield Sent(f"text/{name}.txt", data, "lines", {"encoding": encoding.removesuffix("-sig"), "lines": 1, "words": 6})
    yield Sent("text/Größe – 1.txt", b"a name with other letters\n", "lines", {"words": 5})


def markup() -> Iterator[Sent]:
    """JSON and XML, valid or not: a text of wrong grammar is still a text."""
    for count in range(1, 7):
        data = json.dumps({"list": list(range(count))}).encode()
        yield Sent(f"json/{count}.json", data, "lines", {"format": "json", "valid": True})
        yield Sent(f"json/cut-{count}.json", data[:-1], "lines", {"format": "json", "valid": False})
        xml = b'<?xml version="1.0"?><a>' + b"<b/>" * count + b"</a>"
        yield Sent(f"xml/{count}.xml", xml, "lines", {"format": "xml", "valid": True})
        yield Sent(f"xml/cut-{count}.xml", xml[:-1], "lines", {"format": "xml", "valid": False})


def tables() -> Iterator[Sent]:
    """Tables in text, in Parquet and in workbooks."""
    for count in range(2, 8):
        shape = {"rows": count, "column_count": 2}
        csv = b"name,size\n" + b"cat,4\n" * count
        yield Sent(f"csv/{count}.csv", csv, "table", {**shape, "format": "csv", "delimiter": "comma", "rejected_rows": 0})
        tsv = b"name\tsize\n" + b"cat\t4\n" * count
        yield Sent(f"csv/{count}.tsv", tsv, "table", {**shape, "delimiter": "tab"})
        lines = b'{"name": "cat", "size": 4}\n' * count
        yield Sent(f"lines/{count}.ndjson", lines, "table", {**shape, "format": "ndjson"})
    semicolons = "name;größe\nKäse;1,5\nÖl;2,5\n".encode("cp1252")
    western = {"rows": 2, "column_count": 2, "delimiter": "semicolon", "encoding": "cp1252"}
    yield Sent("csv/western.csv", semicolons, "table", western)
    uneven = b"a,b\n1,2\n1\n1,2,3\n3,4\n"
    yield Sent("csv/uneven.csv", uneven, "table", {"rows": 2, "rejected_rows": 2})
    yield Sent("csv/numbers.parquet", parquet(), "table", {"rows": 3, "column_count": 1, "format": "parquet"})
    cells = "".join(offices.cell(place, "x") for place in ("A1", "B1"))
    rows = f'<row r="1">{cells}</row>'
    yield Sent("csv/book.xlsx", offices.xlsx(("S", rows)), "table", {"format": "xlsx", "sheet_count": 1})


def parquet() -> bytes:
    """Three rows of one column."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.parquet"
        duckdb.sql(f"COPY (SELECT range AS number FROM range(3)) TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


def broken() -> Iterator[Sent]:
    """Documents that fail with a reason; their digests succeed."""
    whole, word = pdfs.pdf(["x"] * 3), offices.docx(offices.paragraph("a"))
    bomb = '<!DOCTYPE a [<!ENTITY b "ha">]><w:document xmlns:w="w">&b;</w:document>'
    locked = containers.compound("EncryptionInfo", "EncryptedPackage")
    files = {
        "cut.pdf": (whole[:200], "corrupt"),
        "header.pdf": (b"%PDF-1.7\n", "corrupt"),
        "noise.pdf": (b"%PDF-1.7\n" + bytes(range(256)) * 8, "corrupt"),
        "locked.pdf": (pdfs.locked(), "password"),
        "cut.docx": (word[:-30], "corrupt"),
        "cut.xlsx": (offices.xlsx(("S", ""))[:60], "corrupt"),
        "cut.odt": (offices.open_document("text", "")[:-30], "corrupt"),
        "locked.docx": (locked, "password"),
        "entities.docx": (offices.zipped({"word/document.xml": bomb}), "corrupt"),
        "archive.docx": (containers.zipped(("a.txt", b"abc")), "unsupported"),
        "old.docx": (containers.compound("WordDocument"), "unsupported"),
        "noise.pptx": (b"\0\1\2\3" * 100, "unsupported"),
        "script.docx": (b"{\\rtf1 hello}", "unsupported"),
    }
    for name, (data, reason) in files.items():
        step = "document" if name.endswith("xlsx") else "text"
        yield Sent(f"broken/{name}", data, step, {}, PARTIAL, reason)
    for name, data in {"noise.parquet": b"PAR1" + bytes(range(256)) + b"PAR1", "cut.csv": b'a,b\n1,"never closed\n'}.items():
        yield Sent(f"broken/{name}", data, "table", {}, PARTIAL, "corrupt")
    for count in range(1, 5):
        yield Sent(f"broken/zeros-{count}.txt", b"text\n" + bytes(count), "lines", {}, PARTIAL, "not_a_text")


def others() -> Iterator[Sent]:
    """Files that are only digested: the bytes show what they are, whatever their names say."""
    kinds = {
        "old.doc": (containers.compound("WordDocument"), "application/msword"),
        "old.ppt": (containers.compound("PowerPoint Document"), "application/vnd.ms-powerpoint"),
        "mail.msg": (containers.compound("__nameid_version1.0"), "application/vnd.ms-outlook"),
        "note.rtf": (b"{\\rtf1 hello}", "application/rtf"),
        "page.ps": (b"%!PS-Adobe-3.0\n", "application/postscript"),
        "book.epub": (containers.named("application/epub+zip"), "application/epub+zip"),
        "data.sqlite": (containers.database(), "application/x-sqlite3"),
        "noise.bin": (b"\0\1\2\3" * 10, "application/octet-stream"),
        "README": (b"words\n", "text/plain"),
        "table.bin": (b"a,b\n1,2\n3,4\n", "text/csv"),
        "page.bin": (b"<html><body>x</body></html>", "text/html"),
        "letter.bin": (offices.docx(""), containers.OPEN_XML + ".wordprocessingml.document"),
    }
    for name, (data, content_type) in kinds.items():
        yield Sent(f"others/{name}", data, "digest", {"content_type": content_type, "size": len(data)})
    yield Sent("others/abc.bin", b"abc", "digest", {"crc32c": "Nks/tw==", "size": 3})
