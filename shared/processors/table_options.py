"""Options of the table processors, and their checks. No library here: every service checks options."""

from dataclasses import dataclass

from shared.errors import BadConfiguration

#: format option → content type
FORMATS = {"parquet": "application/vnd.apache.parquet", "csv": "text/csv; charset=utf-8"}
COMPRESSIONS = ("zstd", "snappy", "gzip", "none")
MOST_SAMPLE_ROWS, MOST_COLUMNS, MOST_SHEETS = 100, 1000, 100


@dataclass(frozen=True, slots=True)
class Profile:
    """`sample` has the first `sample_rows` rows; `max_columns` columns and `max_sheets` sheets are described."""

    sample_rows: int = 5
    max_columns: int = 100
    max_sheets: int = 20

    def __post_init__(self) -> None:
        _check("sample_rows", self.sample_rows, 0, MOST_SAMPLE_ROWS)
        _check("max_columns", self.max_columns, 1, MOST_COLUMNS)
        _check("max_sheets", self.max_sheets, 1, MOST_SHEETS)


@dataclass(frozen=True, slots=True)
class Convert:
    """`compression` is that of Parquet. A workbook with more than `max_sheets` sheets is refused."""

    format: str = "parquet"
    compression: str = "zstd"
    max_sheets: int = 20

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise BadConfiguration(f"options.format: {self.format!r}; write one of {', '.join(FORMATS)}")
        if self.compression not in COMPRESSIONS:
            raise BadConfiguration(f"options.compression: {self.compression!r}; write one of {', '.join(COMPRESSIONS)}")
        _check("max_sheets", self.max_sheets, 1, MOST_SHEETS)


def _check(option: str, value: object, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadConfiguration(f"options.{option}: {value!r}; write a whole number from {least} to {most}")
