"""A key of pipeline.toml, and the kinds of values that keys take: numbers, text, lists, tables."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from shared.model import Json

#: Whole numbers up to here are exact in every reader of JSON (RFC 8259 §6).
MAX_EXACT = 2**53
#: An amount of memory, as Cloud Run takes it.
MEMORY = "[1-9][0-9]{0,5}(Mi|Gi)"
SCALAR: Json = {"type": ["string", "number", "boolean"]}


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a table: its meaning, its right values, and its JSON Schema.

    `remedy` says which value is right: in it, `{queues}`, `{steps}` and `{processors}` stand for their names. `names` is the table
    whose names the value has to be one of, or a list of.
    """

    about: str
    accepts: Callable[[Any], bool]
    remedy: str
    schema: Json
    required: bool = False
    names: str = ""


def required(key: Key) -> Key:
    """The key, as one that no table may lack."""
    return replace(key, required=True)


def number(about: str, least: float, most: float) -> Key:
    """A number in this range."""
    remedy, schema = f"write a number from {least:g} to {most:g}", {"type": "number", "minimum": least, "maximum": most}
    return Key(about, lambda value: is_number(value) and least <= value <= most, remedy, schema)


def whole(about: str, least: int, most: int) -> Key:
    """A whole number in this range."""
    remedy, schema = f"write a whole number from {least} to {most}", {"type": "integer", "minimum": least, "maximum": most}
    return Key(about, lambda value: is_number(value) and isinstance(value, int) and least <= value <= most, remedy, schema)


def choice(about: str, *right: int) -> Key:
    """One of these numbers."""
    accepts = lambda value: is_number(value) and value in right  # noqa: E731
    return Key(about, accepts, f"write one of {', '.join(map(str, right))}", {"enum": list(right)})


def text(about: str, remedy: str, accepts: Callable[[str], bool] = bool, *, pattern: str = ".", names: str = "") -> Key:
    """Text. The schema's `pattern` may be looser than `accepts`."""
    schema = {"type": "string", "pattern": pattern}
    return Key(about, lambda value: isinstance(value, str) and accepts(value), remedy, schema, names=names)


def memory(about: str) -> Key:
    """An amount of memory as Cloud Run writes it: `512Mi` or `2Gi`."""
    accepts = lambda value: isinstance(value, str) and re.fullmatch(MEMORY, value) is not None  # noqa: E731
    return Key(about, accepts, "write an amount such as `512Mi` or `2Gi`", {"type": "string", "pattern": f"^{MEMORY}$"})


def in_bytes(amount: str) -> int:
    """The bytes of `512Mi` or `2Gi`."""
    return int(amount[:-2]) << (30 if amount.endswith("Gi") else 20)


def flag(about: str) -> Key:
    """True or false."""
    return Key(about, lambda value: isinstance(value, bool), "write true or false", {"type": "boolean"})


def texts(about: str, remedy: str, least: int = 0, names: str = "") -> Key:
    """A list of text, of at least this length."""
    return replace(values(about, remedy, lambda value: isinstance(value, str), {"type": "string"}, least), names=names)


def values(about: str, remedy: str, accepts: Callable[[Any], bool], items: Json, least: int = 1) -> Key:
    """A list of accepted values, of at least this length."""
    schema = {"type": "array", "minItems": least, "items": items}
    accepts_all = lambda value: isinstance(value, list) and len(value) >= least and all(map(accepts, value))  # noqa: E731
    return Key(about, accepts_all, remedy, schema)


def choices(about: str, *right: str) -> Key:
    """A list of some of these words."""
    accepts = lambda value: isinstance(value, str) and value in right  # noqa: E731
    return values(about, f"list some of {', '.join(right)}", accepts, {"enum": list(right)})


def or_list(key: Key) -> Key:
    """The key, as one that also takes a list of such values."""
    several = values(key.about, key.remedy, key.accepts, key.schema)
    accepts = lambda value: key.accepts(value) or several.accepts(value)  # noqa: E731
    return replace(key, accepts=accepts, schema={"anyOf": [key.schema, several.schema]})


def table(about: str, remedy: str, of: Key | None = None) -> Key:
    """A table that is not empty, of values of one kind if that is given."""
    schema = {"type": "object", "minProperties": 1} | ({"additionalProperties": of.schema} if of else {})
    accepts = of.accepts if of else lambda _: True
    return Key(
        about, lambda value: isinstance(value, dict) and bool(value) and all(map(accepts, value.values())), remedy, schema
    )


def is_number(value: Any) -> bool:
    """Whether this is a number; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_exact(value: Any) -> bool:
    """Whether this is a number that JSON holds exactly: neither NaN nor infinite."""
    return is_number(value) and abs(value) <= MAX_EXACT


def is_scalar(value: Any) -> bool:
    """Whether this is text, true, false or an exact number."""
    return isinstance(value, (str, bool)) or is_exact(value)
