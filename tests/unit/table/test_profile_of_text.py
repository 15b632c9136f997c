"""Profiles of CSV, TSV and JSON lines against values written by hand."""

from typing import Any

import pytest

from shared.errors import BadConfiguration, BadFile
from shared.testing import run_processor


def profile(data: bytes, **options: Any) -> dict[str, Any]:
    return dict(run_processor("table.profile", data, **options).facts)


def refused(data: bytes, processor: str = "table.profile", **options: Any) -> str:
    with pytest.raises(BadFile) as error:
        run_processor(processor, data, **options)
    return error.value.code


def types(facts: dict[str, Any]) -> dict[str, str]:
    return {column["name"]: column["type"] for column in facts["columns"]}


def test_a_profile_is_as_in_the_docs() -> None:
    assert profile("city;amount\nKöln;1,5\nOslo;20,25\nlost\nOslo;\n".encode()) == {
        "format": "csv",
        "encoding": "utf-8",
        "delimiter": "semicolon",
        "decimal": "comma",
        "header": True,
        "skipped_lines": 0,
        "rows": 3,
        "rejected_rows": 1,
        "rejects": [{"line": 4, "reason": "too few columns"}],
        "column_count": 2,
        "columns": [
            {"name": "city", "type": "text", "nulls": 0, "min": "Köln", "max": "Oslo", "approx_distinct": 2},
            {"name": "amount", "type": "number", "nulls": 1, "min": 1.5, "max": 20.25, "approx_distinct": 2},
        ],
        "sample": [["Köln", 1.5], ["Oslo", 20.25], ["Oslo", None]],
    }


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a\tb\n1\tx\n", {"format": "tsv", "delimiter": "tab", "rows": 1}),
        (b"\xef\xbb\xbfa,b\n1,2\n", {"encoding": "utf-8", "rows": 1, "column_count": 2}),
        ("city,n\nKöln,1\nMünchen,2\nDüsseldorf,3\nGöttingen,4\n".encode("cp1252"), {"encoding": "cp1252", "rows": 4}),
        ("a,b\n1,ü\n".encode("utf-16"), {"encoding": "utf-16", "rows": 1, "sample": [[1, "ü"]]}),
        (b"Sales\nof 2026\n\nday;n\n2026-01-01;1\n2026-01-02;2\n", {"skipped_lines": 3, "rows": 2, "delimiter": "semicolon"}),
        (b'a,b\n1,"x\ny"\n2,"z ""q"""\n', {"rows": 2, "sample": [[1, "x\ny"], [2, 'z "q"']]}),
        (b"1,2\n3,4\n", {"header": False, "rows": 2, "sample": [[1, 2], [3, 4]]}),
        (b"name\nx\ny\n", {"column_count": 1, "rows": 2, "header": True}),
        (b"a,b,c\n", {"rows": 0, "column_count": 3, "sample": []}),
        (b"a,b\r\n1,2\n3,4\r\n", {"rows": 2, "rejected_rows": 0}),
        (b"a,b\r1,2\r3,4\r", {"rows": 2, "rejected_rows": 0}),
        (b"a,b\n1,2,\n3,4,\n", {"rows": 2, "rejected_rows": 0}),
    ],
    ids=[
        "tsv",
        "mark",
        "cp1252",
        "utf-16",
        "titles",
        "quotes",
        "no header",
        "one column",
        "only a header",
        "mixed ends",
        "old Mac",
        "surplus commas",
    ],
)
def test_a_csv_is_read_as_it_is_written(data: bytes, expected: dict[str, Any]) -> None:
    facts = profile(data)

    assert {name: facts[name] for name in expected} == expected


def test_uneven_rows_are_rejected_and_the_others_kept() -> None:
    facts = profile(b"a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12\n")

    assert facts["sample"] == [[1, 2, 3], [10, 11, 12]]
    assert facts["rejects"] == [{"line": 3, "reason": "too few columns"}, {"line": 4, "reason": "too many columns"}]


@pytest.mark.parametrize(
    ("data", "delimiter", "names", "skipped", "rejected"),
    [
        ("n;x;y\na;1,5;p\nb;2,5;q\nlost\nc;3,5;r\nd;4,5;s;t\n", "semicolon", ["n", "x", "y"], 0, [4, 6]),
        ("n;x;y\nlost;1,5\nb;2,5;q\nc;3,5;r\nd;4,5;s\n", "semicolon", ["n", "x", "y"], 0, [2]),
        ("Sales, by town\nn;x;y\na;1,5;p\nlost;2,5\nc;3,5;r\nd;4,5;s\n", "semicolon", ["n", "x", "y"], 1, [4]),
        ('n,x,y\n"a,b",1,p\nlost,1\nc,2,r\n"d, e",3,s\n', "comma", ["n", "x", "y"], 0, [3]),
        ('n|x\n"a,b"|1\nlost\n"c, d"|2\ne|3\n', "pipe", ["n", "x"], 0, [3]),
    ],
    ids=["decimal-commas", "uneven-first", "title", "commas-in-quotes", "commas-in-quotes-of-another"],
)
def test_a_few_uneven_rows_do_not_hide_the_delimiter(
    data: str, delimiter: str, names: list[str], skipped: int, rejected: list[int]
) -> None:
    facts = profile(data.encode())
    assert (facts["delimiter"], facts["skipped_lines"], facts["header"]) == (delimiter, skipped, True)
    assert list(types(facts)) == names
    assert [reject["line"] for reject in facts["rejects"]] == rejected


def test_no_more_values_are_different_than_there_are() -> None:
    columns = profile(("id,empty\n" + "".join(f"{number},\n" for number in range(50))).encode())["columns"]
    assert columns[0]["approx_distinct"] <= 50
    assert columns[1]["approx_distinct"] == 0


def test_nested_values_are_json() -> None:
    facts = profile(b'{"tags": ["a", "b"], "at": {"x": 1.5, "y": null}}\n')
    assert facts["sample"] == [['["a","b"]', '{"x":1.5,"y":null}']]


def test_a_late_value_of_another_type_loses_no_row() -> None:
    facts = profile(b"n,m\n" + b"1,2\n" * 30_000 + b"n/a,3\n")

    assert (facts["rows"], facts["rejected_rows"]) == (30_001, 0)
    assert types(facts) == {"n": "text", "m": "integer"}


def test_late_rejects_have_their_lines() -> None:
    facts = profile(b"a,b\n" + b"1,2\n" * 30_000 + b"3\n")

    assert facts["rejects"] == [{"line": 30_002, "reason": "too few columns"}]
    assert facts["rows"] == 30_000


def test_quotes_that_come_late_are_quotes() -> None:
    facts = profile(b"a,b\n" + b"1,x\n" * 30_000 + b'2,"y, z"\n')

    assert (facts["rows"], facts["rejected_rows"]) == (30_001, 0)
    assert facts["columns"][1]["max"] == "y, z"


def test_types_follow_from_the_values() -> None:
    data = b"id,price,ok,day,at,zip\n"
    data += b"1,1.5,true,2026-01-31,2026-01-31 12:00:00,00501\n2,2.5,false,2026-02-01,2026-02-01 00:00:00,10115\n"

    assert types(profile(data)) == {
        "id": "integer",
        "price": "number",
        "ok": "boolean",
        "day": "date",
        "at": "timestamp",
        "zip": "text",
    }


def test_names_are_unique() -> None:
    assert list(types(profile(b"a,A,,b\n1,2,3,4\n"))) == ["a", "A_1", "column2", "b"]


def test_texts_that_a_spreadsheet_would_run_begin_with_an_apostrophe() -> None:
    facts = profile(b"n,t\n1,=1+1\n2,@x\n3,+49 30\n4,-5\n")

    assert [row[1] for row in facts["sample"]] == ["'=1+1", "'@x", "'+49 30", "-5"]


def test_long_texts_are_cut() -> None:
    assert profile(b"n,t\n1," + b"x" * 1000 + b"\n")["sample"] == [[1, "x" * 199 + "…"]]


def test_options_bound_what_is_shown() -> None:
    facts = profile(b"a,b,c\n1,2,3\n4,5,6\n", sample_rows=1, max_columns=2)

    assert (facts["column_count"], list(types(facts)), facts["sample"]) == (3, ["a", "b"], [[1, 2]])


def test_a_little_damage_does_not_change_the_encoding() -> None:
    facts = profile(b"city,n\n" + "Köln,1\n".encode() * 20 + b"K\xf6ln,2\n")

    assert (facts["encoding"], facts["rows"]) == ("utf-8", 20)
    assert facts["rejects"] == [{"line": 22, "reason": "characters that are not UTF-8"}]


def test_json_lines_have_typed_columns_and_rejects() -> None:
    facts = profile(b'{"a":1,"b":{"x":[1,2]}}\n\nbroken\n[1]\n{"a":3,"late":"y"}\n')

    assert (facts["format"], facts["rows"], facts["rejected_rows"]) == ("ndjson", 2, 2)
    assert facts["rejects"] == [{"line": 3, "reason": "no JSON"}, {"line": 4, "reason": "no object"}]
    assert types(facts) == {"a": "integer", "b": "struct", "late": "text"}
    assert facts["columns"][0] == {"name": "a", "type": "integer", "nulls": 0, "min": 1, "max": 3, "approx_distinct": 2}


def test_a_name_that_comes_late_is_a_column() -> None:
    assert list(types(profile(b'{"a":1}\n' * 30_000 + b'{"a":1,"z":2}\n'))) == ["a", "z"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no_output"),
        (b" \n\n", "no_output"),
        (b"a,b\nx\0y,1\n", "not_a_text"),
        (b",".join([b"a"] * 2001) + b"\n", "table_too_large"),
        (b"a," * 1_000_000, "table_too_large"),
        (b'a,b,c\n1,"x\n2,z,1\n3,w,2\n', "corrupt"),
        (b"a,b\n1," + b"x" * 2_500_000 + b"\n", "corrupt"),
        (b'{"a":' + b"[" * 200 + b"]" * 200 + b"}\n", "corrupt"),
        (b'{"a":\n', "corrupt"),
        (b'[{"a":1}]', "unsupported"),
        (b"%PDF-1.7\n", "unsupported"),
        (b"SQLite format 3\0", "unsupported"),
        (b"\x1f\x8b\x08\0", "unsupported"),
    ],
    ids=["empty", "blank", "zero", "wide", "wider", "quote", "long line", "deep", "cut JSON", "array", "pdf", "sqlite", "gzip"],
)
def test_a_bad_text_has_a_reason(data: bytes, reason: str) -> None:
    assert refused(data) == reason


@pytest.mark.parametrize(
    ("processor", "option", "value"),
    [
        *[("table.profile", "sample_rows", value) for value in (-1, 101, "5", True)],
        *[("table.profile", "max_columns", value) for value in (0, 1001)],
        *[("table.profile", "max_sheets", value) for value in (0, 101)],
        *[("table.convert", "max_sheets", value) for value in (0, 101)],
        *[("table.convert", "format", value) for value in ("xlsx", "", 1)],
        *[("table.convert", "compression", value) for value in ("lzma", None)],
    ],
)
def test_a_wrong_option_is_refused(processor: str, option: str, value: Any) -> None:
    with pytest.raises(BadConfiguration, match=rf"^options\.{option}: "):
        run_processor(processor, b"a,b\n", **{option: value})
