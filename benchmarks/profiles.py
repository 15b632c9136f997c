"""A profile of a table, by our processor or a plain program; prints CPU seconds and the peak of memory."""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MEMORY_LIMIT = "512MB"


def ours(_kind: str, source: Path) -> Mapping[str, Any]:
    """The facts, as a step makes them."""
    from shared import processors

    processor = processors.find("table.profile")
    with tempfile.TemporaryDirectory() as folder:
        return processor.run(source, Path(folder), processor.check({})).facts


def bare(kind: str, source: Path) -> Any:
    """The same figures by the engine alone, with nothing checked."""
    return _csv(source) if kind == "csv" else _sheet(source)


def _csv(source: Path) -> Any:
    import duckdb

    connection = duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "threads": min(os.cpu_count() or 1, 4)})
    columns = "COLUMNS(*)"
    aggregates = f"count(*), count({columns}), min({columns}), max({columns}), approx_count_distinct({columns})"
    counted = connection.execute(f"SELECT {aggregates} FROM read_csv(?)", [str(source)]).fetchall()
    return counted, connection.execute("SELECT * FROM read_csv(?) LIMIT 5", [str(source)]).fetchall()


def _sheet(source: Path) -> Any:
    import python_calamine

    sheet = python_calamine.CalamineWorkbook.from_path(source).get_sheet_by_index(0)
    head, *rows = sheet.to_python()
    found = {}
    for name, values in zip(head, zip(*rows, strict=True), strict=True):
        present = [value for value in values if value != ""]
        kinds = {type(value) for value in present}
        found[name] = kinds, len(values) - len(present), min(present), max(present), len(set(present))
    return found, rows[:5]


def main() -> None:
    """Arguments: `ours` or `bare`, `csv` or `xlsx`, and the file."""
    program, kind, source = sys.argv[1:]
    before = time.process_time()
    {"ours": ours, "bare": bare}[program](kind, Path(source))
    spent = time.process_time() - before
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    print(json.dumps({"cpu_seconds": spent, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit}))


if __name__ == "__main__":
    main()
