"""Texts and dates of documents, made plain. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

#: Longest text of a fact, in characters.
MAX_FACT_CHARACTERS = 1000
#: ISO 32000-2 §7.9.4: `D:20240131120000+01'00'`; everything after the year may be missing.
_PDF_DATE = re.compile(r"(?:D:)?(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(\d{2})?(?:(Z)|([+-])(\d{2})'?(\d{2})?'?)?.*", re.DOTALL)
#: Control characters except tab and line feed; surrogates; the two that are no characters.
_NO_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def plain(text: str) -> str:
    """The text with line feeds only, without control characters."""
    return _NO_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0b", "\n"))


def stated(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts that have a value; texts in one line, and not longer than a fact may be."""
    return {name: _short(value) for name, value in facts.items() if value not in (None, "", [], {})}


def pdf_date(text: str) -> str:
    """ISO 8601 of a PDF's date, as precise as it is written; empty where it is none."""
    found = _PDF_DATE.fullmatch(text.strip())
    if not found:
        return ""
    year, month, day, hour, minute, second, utc, sign, hours, minutes = found.groups()
    date = "-".join(filter(None, (year, month, day)))
    if not hour:
        return _checked(date, f"{year}-{month or '01'}-{day or '01'}")
    offset = "+00:00" if utc else f"{sign}{hours}:{minutes or '00'}" if sign else ""
    return _checked(whole := f"{date}T{hour}:{minute or '00'}:{second or '00'}{offset}", whole)


def iso_date(text: str) -> str:
    """The same date if it is one of ISO 8601; else empty."""
    return _checked(text.strip(), text.strip())


def _checked(date: str, whole: str) -> str:
    try:
        datetime.fromisoformat(whole)
    except ValueError:
        return ""
    return date


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(plain(value).split())[:MAX_FACT_CHARACTERS]
    return value
