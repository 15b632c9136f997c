"""A document: its title, people, dates and pages, from `document.facts` and `document.text`."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.findings import values
from shared.findings.blocks import MAX_ROWS, Finding, Label, cut, grid, pairs

FORMATS = {
    "pdf": "PDF",
    "docx": "Word (docx)",
    "xlsx": "Excel (xlsx)",
    "pptx": "PowerPoint (pptx)",
    "odt": "OpenDocument text (odt)",
    "ods": "OpenDocument spreadsheet (ods)",
    "odp": "OpenDocument presentation (odp)",
    "html": "HTML",
    "mail": "e-mail",
    "markdown": "Markdown",
    "text": "text",
}
#: Facts of `document.text`, which no other processor gives together.
COUNTED = frozenset({"pages", "words", "characters"})
#: Facts of tables and texts, whose formats have the same names.
OTHERS = frozenset({"encoding", "columns", "sheets"})
#: What `pages` counts in formats that have no pages.
PARTS = {"xlsx": "Sheets", "ods": "Sheets", "pptx": "Slides", "odp": "Slides"}
#: Sizes in points, of sheets upright.
_SHEETS = {"595×842": "A4", "842×1191": "A3", "420×595": "A5", "612×792": "US Letter", "612×1008": "US Legal"}


def find(steps: Sequence[Mapping[str, Any]]) -> Finding | None:
    """The document of these facts, one mapping for each step."""
    stated = next((facts for facts in steps if _format(facts.get("format")) and OTHERS.isdisjoint(facts)), None)
    counted = next((facts for facts in steps if facts.keys() >= COUNTED and "lines" not in facts), {})
    if stated is None and not counted:
        return None
    facts = dict(counted) | dict(stated or {})
    if facts.get("format") not in ("pdf", "pptx", "xlsx", "ods", "odp"):
        facts.pop("pages", None)  # the text has one page then: the document is not laid out
    counted_as = PARTS.get(str(facts.get("format")), "Pages")
    blocks = [pairs(facts, {**LABELS, "pages": (counted_as, values.count)})]
    attached = values.objects(facts.get("attachments"))
    note = cut(attached, MAX_ROWS, "attachment", _number(facts.get("attachment_count")))
    return Finding("document", "Document", [*blocks, *_attachments(attached, note)], frozenset({"attachments"}))


def _attachments(attached: Sequence[Mapping[str, Any]], note: str) -> list[Any]:
    columns = (("name", "Name"), ("content_type", "Type"), ("size", "Bytes"))
    return [grid("Attachments", attached, columns, note)] if attached else []


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _format(value: Any) -> str:
    return FORMATS.get(value, "") if isinstance(value, str) else ""


def _sizes(value: Any) -> str:
    """Sizes in points, `A4 (595 × 842 pt)`."""
    return ", ".join(map(_size, value[:5])) if isinstance(value, list) else ""


def _size(value: Any) -> str:
    size = values.shown(value, 40)
    width, _, height = size.partition("×")
    name = _SHEETS.get(size) or (f"{turned} landscape" if (turned := _SHEETS.get(f"{height}×{width}")) else "")
    points = f"{width} × {height} pt" if height else size
    return f"{name} ({points})" if name else points


LABELS: Mapping[str, Label] = {
    "title": ("Title", values.shown),
    "author": ("Author", values.shown),
    "to": ("To", values.shown),
    "cc": ("Copy to", values.shown),
    "subject": ("Subject", values.shown),
    "description": ("Description", values.shown),
    "keywords": ("Keywords", values.shown),
    "language": ("Language", values.shown),
    "format": ("Format", _format),
    "pages": ("Pages", values.count),
    "words": ("Words", values.count),
    "characters": ("Characters", values.count),
    "page_sizes_pt": ("Page sizes", _sizes),
    "created_at": ("Created", values.moment),
    "modified_at": ("Changed", values.moment),
    "creator": ("Written with", values.shown),
    "producer": ("Produced by", values.shown),
    "version": ("PDF version", values.shown),
    "form": ("Form", values.shown),
    "macros": ("Macros", values.shown),
    "encrypted": ("Encrypted", values.if_true),
    "signed": ("Signed", values.if_true),
    "links": ("Links", values.count),
    "attachment_count": ("Attachments", values.if_some),
    "message_id": ("Message id", values.shown),
}
