"""Copies of tables as Parquet and CSV, read again by DuckDB alone."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from shared.testing import Outcome, run_processor
from tests.unit.table import books
from tests.unit.table.test_profile_of_text import refused


def convert(data: bytes, **options: Any) -> Outcome:
    return run_processor("table.convert", data, **options)


def rows(data: bytes, folder: Path) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
    """Names with types, and the rows, of a Parquet file."""
    path = folder / "read.parquet"
    path.write_bytes(data)
    found = duckdb.sql(f"FROM read_parquet('{path}')")
    assert found
    return list(zip(found.columns, map(str, found.types), strict=True)), found.fetchall()


def test_a_csv_becomes_typed_parquet_without_its_bad_rows(tmp_path: Path) -> None:
    made = convert("city;amount\nKöln;1,5\nlost\n=x;2\n".encode())

    (output,) = made.outputs
    assert (output.name, output.content_type) == ("table.parquet", "application/vnd.apache.parquet")
    assert rows(output.data, tmp_path) == ([("city", "VARCHAR"), ("amount", "DOUBLE")], [("Köln", 1.5), ("=x", 2.0)])
    assert (made.facts["rows"], made.facts["rejects"]) == (2, [{"line": 3, "reason": "too few columns"}])


def test_a_late_value_of_another_type_is_kept(tmp_path: Path) -> None:
    (output,) = convert(b"n,m\n" + b"1,2\n" * 30_000 + b"n/a,3\n").outputs

    columns, values = rows(output.data, tmp_path)
    assert columns == [("n", "VARCHAR"), ("m", "BIGINT")]
    assert (len(values), values[-1]) == (30_001, ("n/a", 3))


@pytest.mark.parametrize(
    ("compression", "codec"), [("zstd", "ZSTD"), ("snappy", "SNAPPY"), ("gzip", "GZIP"), ("none", "UNCOMPRESSED")]
)
def test_the_compression_is_that_of_the_option(compression: str, codec: str, tmp_path: Path) -> None:
    (output,) = convert(b"a,b\n1,x\n", compression=compression).outputs
    path = tmp_path / "read.parquet"
    path.write_bytes(output.data)

    assert duckdb.execute(f"SELECT DISTINCT compression FROM parquet_metadata('{path}')").fetchall() == [(codec,)]


def test_csv_is_written_for_spreadsheets() -> None:
    (output,) = convert(b"a;b\n=1+1;1,5\n-5;2,5\n@x;\n", format="csv").outputs

    assert (output.name, output.content_type) == ("table.csv", "text/csv; charset=utf-8")
    assert output.data == b"a,b\n'=1+1,1.5\n-5,2.5\n'@x,\n"


def test_each_sheet_with_rows_has_a_file(tmp_path: Path) -> None:
    made = convert(
        books.book(
            ("Sales 2026", books.row(1, "city", "n") + books.row(2, "Oslo", 1) + books.row(3, "Rome")),
            ("Empty", ""),
            ("sales_2026", books.row(1, 1, 2.5)),
        )
    )

    assert [output.name for output in made.outputs] == ["Sales_2026.parquet", "sales_2026_2.parquet"]
    assert rows(made.outputs[0].data, tmp_path) == ([("city", "VARCHAR"), ("n", "BIGINT")], [("Oslo", 1), ("Rome", None)])
    assert rows(made.outputs[1].data, tmp_path) == ([("column0", "BIGINT"), ("column1", "DOUBLE")], [(1, 2.5)])
    assert made.facts["sheets"] == [
        {"name": "Sales 2026", "rows": 2, "column_count": 2, "output": "Sales_2026.parquet"},
        {"name": "Empty", "rows": 0, "column_count": 0, "output": None},
        {"name": "sales_2026", "rows": 1, "column_count": 2, "output": "sales_2026_2.parquet"},
    ]


def test_json_lines_become_parquet(tmp_path: Path) -> None:
    (output,) = convert(b'{"a":1,"b":[1,2]}\n{"a":2}\n').outputs

    assert rows(output.data, tmp_path) == ([("a", "BIGINT"), ("b", "BIGINT[]")], [(1, [1, 2]), (2, None)])


def test_a_repeat_gives_the_same_bytes() -> None:
    data = b"n,s\n" + b"".join(f"{number},text {number}\n".encode() for number in range(200_000))

    assert convert(data).outputs[0].data == convert(data).outputs[0].data


def test_too_many_sheets_are_refused() -> None:
    data = books.book(*[(f"S{number}", books.row(1, 1)) for number in range(3)])

    assert refused(data, "table.convert", max_sheets=2) == "too_many_pages"


def test_a_workbook_without_rows_has_nothing_to_write() -> None:
    assert refused(books.book(("Empty", "")), "table.convert") == "no_output"
