"""Findings: facts of documents, tables and texts in an order for readers, short and harmless."""

from typing import Any

import pytest

from shared.findings import Grid, Pairs, blocks, findings, recording, values

PLANETS: dict[str, Any] = {
    "column_count": 2,
    "columns": [
        {"name": "planet", "type": "text", "nulls": 0, "min": "Earth", "max": "Venus", "approx_distinct": 8},
        {"name": "diameter_km", "type": "integer", "nulls": 0, "min": 4879, "max": 142984, "approx_distinct": 8},
    ],
    "decimal": "comma",
    "delimiter": "semicolon",
    "encoding": "utf-8",
    "format": "csv",
    "header": True,
    "rejected_rows": 3,
    "rejects": [{"line": 7, "reason": "too many columns"}],
    "rows": 12345,
    "sample": [["Mercury", 4879], ["Venus", None]],
    "skipped_lines": 0,
}


def grids(*facts: dict[str, Any]) -> list[Grid]:
    (found,) = findings(facts)
    return [block for block in found.blocks if isinstance(block, Grid)]


def rows(*facts: dict[str, Any]) -> list[tuple[str, str]]:
    (found,) = findings(facts)
    return [row for block in found.blocks if isinstance(block, Pairs) for row in block.rows]


@pytest.mark.parametrize(("kind", "label"), [("xlsx", "Sheets"), ("ods", "Sheets"), ("pptx", "Slides"), ("odp", "Slides")])
def test_the_parts_of_a_document_have_the_name_that_its_format_gives_them(kind: str, label: str) -> None:
    assert (label, "3") in rows({"format": kind, "pages": 3, "title": "Plan"})


def test_a_document_is_read_from_its_title_to_its_details() -> None:
    stated = {
        "author": "Lewis Carroll",
        "created_at": "2026-11-28T12:00:00+00:00",
        "encrypted": False,
        "format": "pdf",
        "page_sizes_pt": ["595×842", "842×595", "100×100"],
        "pages": 1234,
        "signed": True,
        "title": "Alice",
    }

    assert rows({"sha256": "x"}, stated, {"characters": 200_000, "pages": 1234, "words": 40_000}) == [
        ("Title", "Alice"),
        ("Author", "Lewis Carroll"),
        ("Format", "PDF"),
        ("Pages", "1,234"),
        ("Words", "40,000"),
        ("Characters", "200,000"),
        ("Page sizes", "A4 (595 × 842 pt), A4 landscape (842 × 595 pt), 100 × 100 pt"),
        ("Created", "2026-11-28 12:00:00 UTC"),
        ("Signed", "yes"),
    ]


def test_a_document_that_is_not_laid_out_has_no_pages() -> None:
    assert rows({"format": "docx", "macros": False}, {"characters": 5, "pages": 1, "words": 1}) == [
        ("Format", "Word (docx)"),
        ("Words", "1"),
        ("Characters", "5"),
        ("Macros", "no"),
    ]


def test_markdown_is_a_document() -> None:
    assert rows({"format": "markdown", "title": "Moons"}) == [("Title", "Moons"), ("Format", "Markdown")]


def test_attachments_are_a_grid() -> None:
    listed = [{"name": "a.txt", "content_type": "text/plain", "size": 1234}]
    (grid,) = grids({"format": "mail", "attachment_count": 102, "attachments": listed})

    assert [one.title for one in grid.headings] == ["Name", "Type", "Bytes"]
    assert (grid.rows, grid.note) == ([["a.txt", "text/plain", "1,234"]], "101 more attachments")


def test_a_table_has_its_profile_its_first_rows_and_the_rows_left_out() -> None:
    profile, sample, rejects = grids(PLANETS)

    assert rows(PLANETS) == [
        ("Format", "CSV"),
        ("Encoding", "utf-8"),
        ("Delimiter", "semicolon"),
        ("Decimal mark", "comma"),
        ("Rows", "12,345"),
        ("Columns", "2"),
        ("Rows left out", "3"),
    ]
    assert [one.title for one in profile.headings] == ["Column", "Type", "Nulls", "Min", "Max", "Distinct (about)"]
    assert profile.rows[1] == ["diameter_km", "integer", "0", "4879", "142984", "8"]
    assert [(one.title, one.is_number) for one in sample.headings] == [("planet", False), ("diameter_km", True)]
    assert sample.rows == [["Mercury", "4879"], ["Venus", ""]]
    assert (rejects.rows, rejects.note) == ([["7", "too many columns"]], "2 more rows")


def test_what_stands_in_grids_is_named() -> None:
    """Pages leave these facts out where they list the others."""
    (table,) = findings([PLANETS])
    (mail,) = findings([{"format": "mail", "attachments": [{"name": "a"}]}])

    assert table.facts == {"columns", "sample", "rejects", "sheets"}
    assert mail.facts == {"attachments"}


def test_a_workbook_has_the_grids_of_each_sheet() -> None:
    sheets = [
        {"name": f"S{number}", "rows": 1, "columns": [{"name": "a", "type": "text"}], "sample": [["x"]]} for number in range(12)
    ]
    found = grids({"format": "xlsx", "sheet_count": 15, "sheets": sheets})

    assert [grid.title for grid in found][:4] == ["Columns of S0", "First rows of S0", "Columns of S1", "First rows of S1"]
    assert len(found) == 20
    assert rows({"format": "xlsx", "sheet_count": 15, "sheets": sheets})[-1] == ("Not shown", "5 more sheets")


@pytest.mark.parametrize(
    ("facts", "format_row"),
    [({}, None), ({"format": "json", "valid": False}, "JSON, not valid"), ({"format": "xml", "valid": True}, "XML, valid")],
)
def test_a_text_says_whether_it_is_valid(facts: dict[str, Any], format_row: str | None) -> None:
    counted = {"encoding": "utf-16-le", "lines": 7, "words": 2000, "characters": 12000, "longest_line": 80}
    found = dict(rows(counted | facts))

    assert found.get("Format") == format_row
    assert (found["Encoding"], found["Words"], found["Longest line"]) == ("utf-16-le", "2,000", "80 characters")


def test_an_archive_lists_its_members() -> None:
    listed = [
        {"path": "photos/", "kind": "folder", "size": 0, "modified": "2024-01-31T12:00:00"},
        {"path": "../notes\u202e.txt", "kind": "file", "size": 1780, "modified": "2024-01-31T12:00:02Z", "unsafe": True},
    ]
    facts = {"format": "zip", "members": 1002, "kinds": {"file": 1001, "folder": 1}, "unpacked_bytes": 1780, "unsafe_paths": 1}
    (grid,) = grids(facts | {"encrypted_members": 0, "listed": listed})

    assert rows(facts | {"listed": listed}) == [
        ("Format", "zip"),
        ("Members", "1,002"),
        ("Kinds", "1,001 files, 1 folder"),
        ("Unpacked", "1,780 bytes"),
        ("Unsafe paths", "1"),
    ]
    assert [one.title for one in grid.headings] == ["Path", "Kind", "Bytes", "Modified", "Unsafe path"]
    assert grid.rows[1] == ["../notes\\u202e.txt", "file", "1,780", "2024-01-31 12:00:02 UTC", "yes"]
    assert grid.note == "1,000 more members"


def test_an_extracted_archive_tells_what_stays_packed_and_what_its_list_knows() -> None:
    extracted = [{"number": 2, "path": "a.txt", "size": 3}, {"number": 3, "path": "../b", "size": 4, "reason": "unsafe_path"}]
    extraction = {"format": "zip", "members": 3, "extracted": 1, "refused": 1, "listed": extracted}
    listing = {
        "format": "zip",
        "members": 3,
        "kinds": {"file": 2, "folder": 1},
        "listed": [{"path": "photos/", "kind": "folder"}],
    }
    (grid,) = grids(extraction, listing)

    assert rows(extraction, listing) == [
        ("Format", "zip"),
        ("Members", "3"),
        ("Kinds", "2 files, 1 folder"),
        ("Extracted", "1"),
        ("Left packed", "1"),
    ]
    assert [one.title for one in grid.headings] == ["Path", "Bytes", "Stays packed"]
    assert grid.rows == [["a.txt", "3", ""], ["../b", "4", "unsafe_path"]]
    assert grid.note == ""


def test_a_film_has_its_duration_its_size_and_its_streams() -> None:
    stated = {
        "audio_codec": "aac",
        "bit_rate": 1_234_000,
        "duration_seconds": 3723.5,
        "format": "mp4",
        "frame_rate": 29.97,
        "has_audio": True,
        "has_video": True,
        "height_px": 1080,
        "rotation_degrees": 0,
        "sample_rate_hz": 44100,
        "stream_count": 2,
        "streams": [{"kind": "video", "codec": "h264"}, {"kind": "audio", "codec": "aac", "channels": 2}],
        "width_px": 1920,
    }
    (grid,) = grids(stated)

    assert rows(stated) == [
        ("Format", "mp4"),
        ("Duration", "1:02:03.5"),
        ("Frame rate", "29.97 a second"),
        ("Sound codec", "aac"),
        ("Sample rate", "44.1 kHz"),
        ("Bit rate", "1,234 kbit/s"),
        ("Picture", "1,920 × 1,080 px"),
    ]
    assert grid.rows == [["video", "h264", ""], ["audio", "aac", "2"]]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (7.46, "0:07.5"), (59.97, "1:00"), (3600, "1:00:00"), (-1, ""), (1e300, ""), (True, ""), ("7", "")],
)
def test_a_duration_is_minutes_and_seconds(seconds: Any, text: str) -> None:
    assert recording.duration(seconds) == text


def test_other_facts_are_no_finding() -> None:
    assert findings([{"format": "jpeg", "width_px": 3}, {"sha256": "x", "size": 3}, {}]) == []


def test_a_huge_hostile_table_stays_small_and_plain() -> None:
    steering = "=1+1\u202e\x1b[2J\x00\u2028"
    columns = [{"name": steering, "type": "x" * 9000, "nulls": "many", "min": {"a": [[]]}} for _ in range(10_000)]
    profile, sample = grids({"rows": 1, "columns": columns, "sample": [[steering] * 10_000] * 1000, "rejects": "all"})

    assert (len(profile.rows), profile.note) == (blocks.MAX_ROWS, "9,900 more columns")
    assert profile.rows[0][0] == "=1+1\\u202e\\x1b[2J\\x00\\u2028"
    assert len(profile.rows[0][1]) == values.MAX_CELL_CHARACTERS + 1
    assert (len(sample.rows), len(sample.rows[0]), sample.note) == (20, 40, "9,960 more columns")


@pytest.mark.parametrize("wrong", [None, 7, "text", [], [7], [[]], {}, {"a": 1}, [None], True])
def test_facts_of_a_wrong_form_are_left_out(wrong: Any) -> None:
    """Processors of others may use the same names."""
    for name in PLANETS:
        findings([PLANETS | {name: wrong}])
    for name in ("title", "pages", "page_sizes_pt", "attachments", "attachment_count", "created_at", "signed", "links"):
        findings([{"format": "pdf", "title": "x"} | {name: wrong}])
    for name in ("members", "kinds", "listed", "packed_bytes", "comment"):
        findings([{"format": "zip", "members": 1, "listed": [{}]} | {name: wrong}])
    for name in ("streams", "has_video", "duration_seconds", "frame_rate", "width_px", "recorded_at", "stream_count"):
        findings([{"has_video": True, "has_audio": True, "streams": [], "height_px": 3} | {name: wrong}])
    for name in ("encoding", "lines", "longest_line", "format", "valid"):
        findings([{"encoding": "utf-8", "lines": 1, "longest_line": 2} | {name: wrong}])


def test_rows_left_out_are_cut() -> None:
    rejects = grids(PLANETS | {"rejects": [{"line": number, "reason": "x"} for number in range(21)], "rejected_rows": 30})[2]

    assert (len(rejects.rows), rejects.note) == (20, "10 more rows")


def test_only_true_is_valid() -> None:
    stated = {"encoding": "utf-8", "lines": 1, "longest_line": 2, "format": "json", "valid": "no"}
    assert rows(stated)[0] == ("Format", "JSON, not valid")
