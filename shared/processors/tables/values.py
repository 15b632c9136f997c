"""How values and names of tables are shown: short, valid JSON, and never a formula."""

import math
import re
from datetime import date, datetime, time, timedelta
from typing import Any

MAX_CHARACTERS = 200
#: Characters that begin a formula in a spreadsheet (OWASP: CSV injection).
FORMULA = "=+-@\t\r"
#: A text of this form is a number for a spreadsheet too.
NUMBER = r"[+-]?[0-9][0-9.,eE]*%?"
_NUMBER = re.compile(NUMBER)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def shown(value: Any) -> Any:
    """A value for facts: numbers as they are, others as short text that no spreadsheet takes for a formula."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    text = iso(value) if isinstance(value, date | time | timedelta) else _CONTROLS.sub("\ufffd", str(value))
    text = f"'{text}" if is_formula(text) else text
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would take this text for a formula."""
    return text.startswith(tuple(FORMULA)) and not _NUMBER.fullmatch(text)


def iso(value: date | time | timedelta) -> str:
    """A date or time as text; a duration as hours, minutes and seconds."""
    if isinstance(value, timedelta):
        milliseconds = round(abs(value) / timedelta(milliseconds=1))
        minutes, rest = divmod(milliseconds, 60_000)
        sign = "-" if value < timedelta() and milliseconds else ""
        return f"{sign}{minutes // 60:02}:{minutes % 60:02}:{rest / 1000:06.3f}".removesuffix(".000")
    return value.isoformat(sep=" ") if isinstance(value, datetime) else value.isoformat()
