"""Read gcloud's JSON into dataclasses whose fields name their path in it. Any part may be missing."""

from collections.abc import Callable
from dataclasses import field, fields
from typing import Any, TypeVar

Json = dict[str, Any]
T = TypeVar("T")


def at(found: Any, *path: str | int) -> Any:
    """The value at this path, or None where a part of it is missing."""
    for key in path:
        if not found or (isinstance(key, int) and len(found) <= key):
            return None
        found = found[key] if isinstance(key, int) else found.get(key)
    return found


def text(found: Any, *path: str | int) -> str:
    """The value at this path as text, empty where it is missing."""
    value = at(found, *path)
    return "" if value is None else str(value)


def last(name: Any) -> str:
    """The last part of a full name."""
    return str(name or "").rpartition("/")[2]


def number(value: Any) -> float:
    """A number or a duration such as `60s`; 0 where it is missing."""
    return float(str(value or 0).removesuffix("s"))


def from_json(
    *path: str | int, read: Callable[[Any], Any] = lambda value: text([value], 0), default: Any = "", **options: Any
) -> Any:
    """A field whose value lies at this path; `read` converts it."""
    return field(default=default, metadata={"path": path, "read": read}, **options)


def numeric(*path: str | int) -> Any:
    """A field with a number or a duration in seconds."""
    return from_json(*path, read=number, default=0)


def parsed(kind: type[T], found: Json) -> T:
    """A dataclass of `from_json` fields, filled from what gcloud printed."""
    return kind(**{it.name: it.metadata["read"](at(found, *it.metadata["path"])) for it in fields(kind)})  # type: ignore[arg-type]
