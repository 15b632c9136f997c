"""The form of a table that DuckDB reads, and its columns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shared.errors import BadFile
from shared.processors.tables.engine import identifier

#: Most columns of a table: DuckDB plans each, and takes 100 kB for each while it writes Parquet.
MAX_COLUMNS = 2000
#: DuckDB's types → those of facts; the parameters of a type are left out.
_TYPES = {
    **dict.fromkeys(["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"], "integer"),
    **dict.fromkeys(["UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"], "integer"),
    **dict.fromkeys(["FLOAT", "DOUBLE"], "number"),
    **dict.fromkeys(["TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"], "timestamp"),
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "TIME WITH TIME ZONE": "time",
    "VARCHAR": "text",
    "BLOB": "bytes",
    "ENUM": "text",
}
NESTED = frozenset({"list", "struct", "map", "union", "json"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column, and its type as DuckDB names it."""

    name: str
    sql_type: str

    @property
    def type(self) -> str:
        """The type for people: `integer`, `number`, `text`; of nested values `list`, `struct`, `map`, `json`."""
        if self.sql_type.endswith("]"):
            return "list"
        plain = self.sql_type.partition("(")[0]
        return _TYPES.get(plain, plain.lower())

    @property
    def sql(self) -> str:
        """Its name in SQL."""
        return identifier(self.name)


class Rows(Protocol):
    """Columns and rows, as a query names them."""

    @property
    def columns(self) -> list[Column]:
        """The columns, as far as the rows have been read."""

    @property
    def sql(self) -> str:
        """The table behind FROM."""


class Relation(Rows, Protocol):
    """An open table."""

    @property
    def format(self) -> str:
        """Such as `csv`."""

    def run(self, query: Callable[[Rows], str]) -> tuple[Any, ...]:
        """The only row of a query over all rows. Its types of columns may change, and the query is made anew then.

        Raises `BadFile`.
        """

    def head(self, most: int, expressions: list[str]) -> list[tuple[Any, ...]]:
        """These expressions of the first rows. Raises `BadFile`."""

    def facts(self) -> Mapping[str, Any]:
        """How the table is written, and after `run` the rows that could not be read."""


def check_columns(count: int) -> None:
    """Refuse a table with too many columns. Raises `BadFile`."""
    if count > MAX_COLUMNS:
        raise BadFile(f"the table has more than {MAX_COLUMNS:,} columns; split it, or turn it around", "table_too_large")


def head(table: Rows, most: int, expressions: list[str]) -> str:
    """A query for these expressions of the first rows."""
    return f"SELECT {', '.join(expressions)} FROM {table.sql} LIMIT {most}"  # noqa: S608  (names and texts are quoted)
