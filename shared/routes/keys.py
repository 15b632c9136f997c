"""The keys of pipeline.toml: meaning, right values and JSON Schema of each. The checks, the schema and the docs' test read them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared import media
from shared.model import Json

QUEUE_NAME = "[a-z][a-z0-9-]{0,40}"
STEP_NAME = "[a-z][a-z0-9-]{0,30}"
#: Limit of an object in Cloud Storage: 5 TiB.
MAX_OBJECT_BYTES = 5 << 40
#: Whole numbers up to here are exact in every reader of JSON (RFC 8259 §6).
MAX_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a table. `remedy` says which value is right; the value refers to names of the table `names`."""

    about: str
    accepts: Callable[[Any], bool]
    remedy: str
    schema: Json
    required: bool = False
    names: str = ""


def _number(about: str, least: float, most: float) -> Key:
    schema = {"type": "number", "minimum": least, "maximum": most}
    return Key(
        about, lambda value: _is_number(value) and least <= value <= most, f"write a number from {least:g} to {most:g}", schema
    )


def _whole(about: str, least: int, most: int) -> Key:
    def accepts(value: Any) -> bool:
        return _is_number(value) and isinstance(value, int) and least <= value <= most

    schema = {"type": "integer", "minimum": least, "maximum": most}
    return Key(about, accepts, f"write a whole number from {least} to {most}", schema)


def _text(about: str, remedy: str, accepts: Callable[[str], bool] = bool, **schema: Any) -> Key:
    return Key(
        about, lambda value: isinstance(value, str) and accepts(value), remedy, {"type": "string", "minLength": 1, **schema}
    )


def _list(about: str, remedy: str, least: int = 1, **schema: Any) -> Key:
    def accepts(value: Any) -> bool:
        return isinstance(value, list) and len(value) >= least

    return Key(about, accepts, remedy, {"type": "array", "minItems": least, "items": {"type": "string"}, **schema})


def _table(about: str, remedy: str, accepts: Callable[[Mapping[str, Any]], bool] = bool, **schema: Any) -> Key:
    return Key(about, lambda value: isinstance(value, dict) and accepts(value), remedy, {"type": "object", **schema})


def _required(key: Key, names: str = "") -> Key:
    return replace(key, required=True, names=names)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_exact(value: Any) -> bool:
    return _is_number(value) and abs(value) <= MAX_EXACT  # false for infinity and NaN


_SCALAR: Json = {"type": ["string", "number", "boolean"]}


def is_scalar(value: Any) -> bool:
    """Whether this is text, true, false or a number that JSON holds exactly."""
    return isinstance(value, (str, bool)) or _is_exact(value)


TOP = {
    "queues": _required(_table("Cloud Tasks queues, by name", "write a table [queues.<name>]")),
    "steps": _required(_table("named uses of a processor, by name", "write a table [steps.<name>]")),
    "routes": _required(_list("which files go through which steps", "write [[routes]] with content_type, name and steps")),
}

QUEUE = {
    "max_dispatches_per_second": _required(_number("rate at which tasks leave the queue", 0.001, 500)),
    "max_concurrent_dispatches": _required(_whole("tasks processed at the same time", 1, 5000)),
    "attempts": _required(_whole("attempts of each step; then its verdict is `dead`", 1, 99)),
    "min_backoff_seconds": _required(_number("first pause between attempts; it doubles up to the longest", 0.1, 3600)),
    "max_backoff_seconds": _required(_number("longest pause between attempts", 0.1, 3600)),
}

STEP = {
    "processor": _required(_text("the processor that does the work", "write one of {processors}")),
    "queue": _required(_text("the queue that its tasks wait in", "write one of {queues}"), "queues"),
    "options": Key("the processor's options", lambda _: True, "", {"type": "object"}),
    "after": replace(_list("the steps that have to succeed first", "list steps of {steps}", 0), names="steps"),
    "input": _text(
        "an output of a step in `after` to work on; without it, the original file",
        "write `<step>/<output>`, such as `pages/1.png`",
        lambda value: all(value.partition("/")),
        pattern=f"^{STEP_NAME}/.+$",
    ),
    "when": _table("a test of a fact; where it fails, the step is `skipped`", "write { step = …, fact = …, is = … }"),
    "per_file": _list("the options that a file's metadata `sluice-<step>-<option>` may set", "list names of its options", 0),
}

#: The tests of a condition.
TESTS = ("is", "in", "min", "max")
WHEN = {
    "step": _required(
        _text("a step that comes before, or `file` for the file itself", "write a step that comes before, or `file`")
    ),
    "fact": _required(_text("the fact's name; `page.width` is `width` within `page`", "write a name such as `width_px`")),
    "is": Key("true for a fact equal to this", is_scalar, "write text, a number, true or false", _SCALAR),
    "in": Key(
        "true for a fact equal to one of these",
        lambda value: isinstance(value, list) and bool(value) and all(is_scalar(one) for one in value),
        "list texts, numbers, true or false",
        {"type": "array", "minItems": 1, "items": _SCALAR},
    ),
    "min": Key("true for a number of at least this", _is_exact, "write a number", {"type": "number"}),
    "max": Key("true for a number of at most this", _is_exact, "write a number", {"type": "number"}),
}

ROUTE = {
    "content_type": _required(
        _text(
            "the files' content type, or a range of types",
            "write `image/*`, `application/pdf` or `*/*`",
            media.is_pattern,
            pattern=r"^[^A-Z/;\s]+/[^A-Z/;\s]+$",
        )
    ),
    "name": _required(
        _text(
            "a pattern over the object's name: `*` stops at a slash, `**` does not, `?` is one character",
            "write a pattern such as `**` or `invoices/*.pdf`",
        )
    ),
    "steps": _required(
        _list("the steps of matching files; what they come after is added", "list at least one of {steps}"), "steps"
    ),
    "queue": replace(
        _text("replaces the queue of these steps and of those before them", "write one of {queues}"), names="queues"
    ),
    "metadata": _table(
        "keys and values that the file's custom metadata has to have",
        'write { key = "value" }',
        lambda value: all(key and isinstance(one, str) for key, one in value.items()),
        additionalProperties={"type": "string"},
    ),
    "max_bytes": _whole("only files of up to this size", 1, MAX_OBJECT_BYTES),
    "on_request": Key(
        "true: only the steps that the file's metadata `sluice-steps` names",
        lambda value: isinstance(value, bool),
        "write true or false",
        {"type": "boolean"},
    ),
}
