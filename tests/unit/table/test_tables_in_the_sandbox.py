"""Tables in the real sandbox: DuckDB connects there, starts its threads, and stays within the step's memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import processors
from shared.errors import BadFile
from shared.model import recipe
from shared.processors.registry import Made
from shared.sandbox.service import Sandbox
from tests.unit.table import books

NAMES = ["table.profile", "table.convert"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    shared = Sandbox(NAMES, 3 << 30)
    yield shared
    shared.stop()


def ran(sandbox: Sandbox, name: str, data: bytes, folder: Path) -> Made | Exception:
    processor = processors.find(name)
    source, work = folder / "source", folder / "work"
    source.write_bytes(data)
    work.mkdir()
    return sandbox.run(recipe("step", name, 1, processor.check({})), source, work, processor.limits).outcome


@pytest.mark.parametrize(
    "data",
    ["city,n\nÅlesund,1\nTromsø,2\nBodø,3\nGjøvik,4\n".encode("cp1252"), b'{"n":1}\n{"n":2}\n{"n":3}\n{"n":4}\n'],
    ids=["cp1252", "JSON lines"],
)
def test_a_table_is_profiled(sandbox: Sandbox, data: bytes, tmp_path: Path) -> None:
    made = ran(sandbox, "table.profile", data, tmp_path)

    assert isinstance(made, Made)
    assert made.facts["rows"] == 4


def test_a_sheet_is_converted(sandbox: Sandbox, tmp_path: Path) -> None:
    made = ran(sandbox, "table.convert", books.book(("S", books.row(1, "n") + books.row(2, 1))), tmp_path)

    assert isinstance(made, Made)
    assert [draft.name for draft in made.drafts] == ["S.parquet"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"a," * 4_000_000, "table_too_large"),
        (b'a,b\n1,"' + b"x" * 20_000_000, "corrupt"),
    ],
    ids=["eight million columns", "a line of 20 MB"],
)
def test_a_hostile_table_has_a_named_verdict(sandbox: Sandbox, data: bytes, reason: str, tmp_path: Path) -> None:
    outcome = ran(sandbox, "table.profile", data, tmp_path)

    assert isinstance(outcome, BadFile)
    assert outcome.code == reason
