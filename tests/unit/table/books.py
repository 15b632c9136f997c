"""Small workbooks, zipped from hand-written XML."""

import struct
from typing import Any

from tests.unit.document.offices import xlsx, zipped

_NAMESPACES = "urn:oasis:names:tc:opendocument:xmlns:"
_CONTENT = (
    f'<office:document-content xmlns:office="{_NAMESPACES}office:1.0" xmlns:table="{_NAMESPACES}table:1.0"'
    f' xmlns:text="{_NAMESPACES}text:1.0"><office:body><office:spreadsheet>{{}}</office:spreadsheet></office:body>'
    "</office:document-content>"
)
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MANIFEST = f'<manifest:manifest xmlns:manifest="{_NAMESPACES}manifest:1.0"/>'


def row(number: int, *values: Any) -> str:
    """A row of an xlsx; None is no cell."""
    cells = (_cell(f"{chr(65 + index)}{number}", value) for index, value in enumerate(values) if value is not None)
    return f'<row r="{number}">{"".join(cells)}</row>'


def _cell(place: str, value: Any) -> str:
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def book(*sheets: tuple[str, str]) -> bytes:
    """An xlsx; each sheet has a name and the XML of its rows."""
    return xlsx(*sheets)


def ods(rows: str) -> bytes:
    """An OpenDocument workbook with one sheet."""
    table = f'<table:table table:name="First">{rows}</table:table>'
    mimetype = "application/vnd.oasis.opendocument.spreadsheet"
    return zipped({"mimetype": mimetype, "content.xml": _CONTENT.format(table), "META-INF/manifest.xml": _MANIFEST})


def ods_row(*cells: str, repeated: int = 1) -> str:
    return f'<table:table-row table:number-rows-repeated="{repeated}">{"".join(cells)}</table:table-row>'


def ods_text(value: str) -> str:
    return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'


def ods_number(value: float, repeated: int = 1) -> str:
    return (
        f'<table:table-cell office:value-type="float" office:value="{value}" table:number-columns-repeated="{repeated}">'
        f"<text:p>{value}</text:p></table:table-cell>"
    )


def ods_empty(repeated: int) -> str:
    return f'<table:table-cell table:number-columns-repeated="{repeated}"/>'


def record(number: int, fields: bytes) -> bytes:
    """A record of a binary workbook ([MS-XLSB] §2.1.4) with less than 128 bytes."""
    kind = [number] if number < 0x80 else [number & 0x7F | 0x80, number >> 7]
    return bytes([*kind, len(fields)]) + fields


def numbers(*cells: tuple[int, int]) -> bytes:
    """The rows of a sheet with a number in each of these cells, by row and column."""
    rows = (record(0, struct.pack("<I13x", row)) + record(5, struct.pack("<IId", column, 0, 1.5)) for row, column in cells)
    return record(0x91, b"") + b"".join(rows) + record(0x92, b"")


def xlsb(rows: bytes, part: str = "worksheets/sheet1.bin", extent: bytes = bytes(16)) -> bytes:
    """A binary workbook with one sheet, in a part of this name."""
    sheet = struct.pack("<II", 0, 1) + _text("rId1") + _text("First")
    relation = f'<Relationship Id="rId1" Type="{_OFFICE}/relationships/worksheet" Target="{part}"/>'
    return zipped(
        {
            "xl/workbook.bin": b"".join(record(*one) for one in ((0x8F, b""), (0x9C, sheet), (0x90, b""), (0x84, b""))),
            "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{relation}</Relationships>',
            f"xl/{part}": record(0x81, b"") + record(0x94, extent) + rows,
        }
    )


def _text(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")
