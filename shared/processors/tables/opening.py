"""The kind of a table by its bytes, and its reader."""

import re
from pathlib import Path

from shared.errors import BadFile
from shared.processors.tables.columnar import ENCRYPTED_MAGIC, MAGIC, Parquet
from shared.processors.tables.lines import JsonLines
from shared.processors.tables.relation import Relation
from shared.processors.tables.separated import Separated
from shared.processors.tables.workbook import Workbook

#: [MS-CFB] §2.2: the container of xls, and of every encrypted workbook.
_CFB = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARK = b"\xef\xbb\xbf"
_ARRAY = re.compile(rb"\[\s*[\[{]")
_OTHERS = (
    (b"%PDF-", "a PDF"),
    (b"\x1f\x8b", "a file compressed by gzip"),
    (b"\x28\xb5\x2f\xfd", "a file compressed by zstd"),
    (b"SQLite format 3\0", "a SQLite database"),
    (b"ARROW1", "an Arrow file"),
    (b"ORC", "an ORC file"),
    (b"Obj\x01", "an Avro file"),
)


def opened(source: Path, folder: Path) -> Relation | Workbook:
    """The reader of this table. Raises `BadFile`."""
    with source.open("rb") as file:
        head = file.read(1024)
    if head.startswith((MAGIC, ENCRYPTED_MAGIC)):
        return Parquet(source, folder)
    if head.startswith((b"PK\x03\x04", _CFB)):
        return Workbook(source, is_compound=head.startswith(_CFB))
    if kind := next((kind for magic, kind in _OTHERS if head.startswith(magic)), ""):
        raise BadFile(
            f"{kind} is no table that is read; send CSV, TSV, JSON lines, Parquet, xlsx, xlsb, xls or ods", "unsupported"
        )
    text = head.removeprefix(_MARK).lstrip()
    if _ARRAY.match(text):
        raise BadFile("a JSON array is no table that is read; write each of its objects into a line of its own", "unsupported")
    if not text:
        raise BadFile("the table is empty", "no_output")
    return JsonLines(source, folder) if text.startswith(b"{") else Separated(source, folder)
