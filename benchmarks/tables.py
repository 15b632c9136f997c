"""Profiles of tables: CPU time of our processor beside a plain program with the same engine."""

import json
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from benchmarks import numbers

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = numbers.of("BENCH_TABLE_ROUNDS", 3)
CSV_BYTES = numbers.of("BENCH_TABLE_BYTES", 50 << 20)
SHEET_ROWS = numbers.of("BENCH_TABLE_ROWS", 100_000)
#: file → the share of the engine's speed that ours has at least, and the most memory of its process in MiB
GOALS = {"csv": (0.9, 600), "xlsx": (0.8, 600)}
_CITIES = ("Berlin", "Oslo", "Zürich", "Rome", "Madrid", "Kyiv")
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"

Figures = dict[str, Any]


def measure(folder: Path) -> Figures:
    """Every file by both programs, in turns, each time in a new process."""
    sources = {"csv": _csv(folder / "table.csv"), "xlsx": _xlsx(folder / "table.xlsx")}
    return {"rounds": ROUNDS, "rows": [_row(kind, source) for kind, source in sources.items()]}


def _row(kind: str, source: Path) -> Figures:
    spent: dict[str, list[Figures]] = {"ours": [], "bare": []}
    for number in range(ROUNDS):
        for program in spent if number % 2 else reversed(spent):
            spent[program].append(_once(program, kind, source))
    ratios = [bare["cpu_seconds"] / ours["cpu_seconds"] for ours, bare in zip(spent["ours"], spent["bare"], strict=True)]
    return {
        "kind": kind,
        "bytes": source.stat().st_size,
        "ours_seconds": statistics.median(one["cpu_seconds"] for one in spent["ours"]),
        "bare_seconds": statistics.median(one["cpu_seconds"] for one in spent["bare"]),
        "speed": statistics.median(ratios),
        "peak_mib": max(one["peak_mib"] for one in spent["ours"]),
    }


def _once(program: str, kind: str, source: Path) -> Figures:
    command = [sys.executable, "-m", "benchmarks.profiles", program, kind, str(source)]
    answer: Figures = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    return answer


def _csv(path: Path) -> Path:
    """Seven columns of six types; a block repeats, but for its running number."""
    days = [f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}" for number in range(50_000)]
    tails = [
        f'{day},{_CITIES[n % 6]},{n * 7919 % 100_000 / 100},{n % 1000},{n % 2 == 0},"order, number {n * 31 % 100_003}"\n'
        for n, day in enumerate(days)
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("id,day,city,amount,quantity,ok,note\n")
        written = number = 0
        while written < CSV_BYTES:
            block = "".join(f"{number + index},{tail}" for index, tail in enumerate(tails))
            file.write(block)
            written, number = written + len(block.encode()), number + len(tails)
    return path


def _xlsx(path: Path) -> Path:
    """A sheet of ten columns, half of them numbers."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="r0" Type="{_RELATION}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        package.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATION}"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        package.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="r1" Type="{_RELATION}/worksheet" '
            'Target="worksheets/sheet1.xml"/></Relationships>',
        )
        with package.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f'<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            for number in range(1, SHEET_ROWS + 1):
                sheet.write(f'<row r="{number}">{"".join(_cell(number, column) for column in range(10))}</row>'.encode())
            sheet.write(b"</sheetData></worksheet>")
    return path


def _cell(row: int, column: int) -> str:
    place = f"{chr(65 + column)}{row}"
    if row == 1:
        return f'<c r="{place}" t="inlineStr"><is><t>column {column}</t></is></c>'
    if column % 2:
        return f'<c r="{place}" t="inlineStr"><is><t>text {row * column % 9973}</t></is></c>'
    return f'<c r="{place}"><v>{row * 7919 % 100_003 / (column + 1):.2f}</v></c>'


def show(figures: Figures) -> None:
    """Print a line for each file, beside its goals."""
    print(f"profiles of tables, {figures['rounds']} rounds:")
    for row in figures["rows"]:
        speed, peak = GOALS[row["kind"]]
        is_met = row["speed"] >= speed and row["peak_mib"] <= peak
        print(
            f"  {row['kind']} of {row['bytes'] / 1e6:.0f} MB: ours {row['ours_seconds']:.2f} s of CPU, the bare engine"
            f" {row['bare_seconds']:.2f} s: {row['speed']:.2f} times its speed, goal ≥ {speed};"
            f" peak {row['peak_mib']} MiB, goal ≤ {peak}{'' if is_met else ' MISSED'}"
        )


def main() -> None:
    """Measure and print: `python -m benchmarks.tables`."""
    with tempfile.TemporaryDirectory(prefix="sluice-tables-") as folder:
        show(measure(Path(folder)))


if __name__ == "__main__":
    main()
