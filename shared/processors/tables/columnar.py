"""Parquet by DuckDB."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from shared.errors import BadFile
from shared.processors.tables.engine import connect, literal, refusals, rows
from shared.processors.tables.relation import Column, Rows, check_columns, head

#: Of a file whose footer is encrypted (Parquet's Encryption.md, "Encrypted footer mode").
ENCRYPTED_MAGIC, MAGIC = b"PARE", b"PAR1"


class Parquet:
    """An open Parquet file."""

    format = "parquet"

    def __init__(self, source: Path, folder: Path) -> None:
        """Raises `BadFile`."""
        _check_ends(source)
        self._connection = connect(source, folder)
        self.sql = f"read_parquet({literal(str(source))})"
        with refusals("Parquet file"):
            described = rows(self._connection, f"DESCRIBE FROM {self.sql}")
        check_columns(len(described))
        self.columns = [Column(name, sql_type) for name, sql_type, *_ in described]

    def run(self, query: Callable[[Rows], str]) -> tuple[Any, ...]:
        """See `Relation.run`."""
        with refusals("Parquet file"):
            return rows(self._connection, query(self))[0]

    def head(self, most: int, expressions: list[str]) -> list[tuple[Any, ...]]:
        """See `Relation.head`."""
        with refusals("Parquet file"):
            return rows(self._connection, head(self, most, expressions))

    def facts(self) -> Mapping[str, Any]:
        """Parquet has nothing to be guessed."""
        return {}


def _check_ends(source: Path) -> None:
    with source.open("rb") as file:
        head = file.read(4)
        file.seek(max(0, source.stat().st_size - 4))
        tail = file.read(4)
    if ENCRYPTED_MAGIC in (head, tail):
        raise BadFile("the Parquet file is encrypted; save it without encryption", "password")
    if tail != MAGIC:
        raise BadFile("the Parquet file ends before its footer; upload it again, whole", "truncated")
