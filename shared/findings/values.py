"""Values of facts as short text. They come from strangers' files: characters that steer the view are escaped."""

import re
from collections.abc import Mapping
from typing import Any

#: A longer text is cut.
MAX_CHARACTERS = 500
#: The same in a cell of a grid.
MAX_CELL_CHARACTERS = 80
#: Control characters, separators of lines, and marks that turn the direction of writing: invisible, or misleading.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
#: Those that a text of several lines keeps.
_LAYOUT = "\n\t"


def plain(text: str, kept: str = "") -> str:
    """The text with steering characters escaped, as in `\\u202e`, but for those that are `kept`."""
    return _STEERING.sub(lambda found: found[0] if found[0] in kept else repr(found[0])[1:-1], text)


def lines(text: str) -> str:
    """A text of several lines, plain; a form feed is an empty line."""
    return plain(re.sub("\r\n?", "\n", text).replace("\f", "\n\n"), _LAYOUT)


def shown(value: Any, most: int = MAX_CHARACTERS) -> str:
    """A value of facts in one line: lists with commas, `yes` and `no`, large numbers in groups of three digits."""
    if isinstance(value, list):
        text = ", ".join(shown(item, most) for item in value[:most]) or "none"
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    elif value is None or value == {}:
        text = "none"
    elif isinstance(value, int) and abs(value) >= 100_000:
        text = f"{value:,}"
    else:
        text = str(value)
    text = plain(text[: most + 1])
    return text if len(text) <= most else f"{text[:most]}…"


def cell(value: Any) -> str:
    """A value in a cell of a grid: empty for none, numbers as they are."""
    if value is None or value == "":
        return ""
    return shown(value if isinstance(value, bool | list) else str(value), MAX_CELL_CHARACTERS)


def count(value: Any) -> str:
    """A number of things, in groups of three digits; empty for what is no number."""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else ""


def if_some(value: Any) -> str:
    """A number of things; empty for 0 too."""
    return count(value) if value else ""


def if_true(value: Any) -> str:
    """`yes` for true, empty for all else."""
    return "yes" if value is True else ""


def moment(value: Any) -> str:
    """An ISO 8601 time as people write it: `2026-11-28 16:00 UTC`."""
    return re.sub(r"^(\d{4}-\d\d-\d\d)T", r"\1 ", re.sub(r"(\+00:00|Z)$", " UTC", shown(value)))


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects in a list of facts; empty for anything else."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
