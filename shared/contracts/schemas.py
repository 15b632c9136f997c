"""Builders of JSON Schema (2020-12): by hand, or from a dataclass with a description of each field."""

import dataclasses
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from shared.model import Json

DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: RFC 3339. The pattern is for the validators that only note a format.
TIME: Json = {
    "type": "string",
    "format": "date-time",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$",
}

_TYPES: Mapping[Any, Json] = {
    str: {"type": "string"},
    int: {"type": "integer", "minimum": 0},
    float: {"type": "number", "minimum": 0},
    bool: {"type": "boolean"},
    Any: {},
}


def described(description: str, /, **keywords: Any) -> Json:
    """A schema with its description."""
    return {"description": description, **keywords}


def text(description: str, **keywords: Any) -> Json:
    """A string."""
    return described(description, type="string", **keywords)


def whole(description: str, **keywords: Any) -> Json:
    """A whole number, 0 or more."""
    return described(description, type="integer", minimum=0, **keywords)


def yes_or_no(description: str) -> Json:
    """A boolean."""
    return described(description, type="boolean")


def time(description: str) -> Json:
    """A time, RFC 3339 in UTC."""
    return described(description, **TIME)


def listed(item: Json, description: str, **keywords: Any) -> Json:
    """An array."""
    return described(description, type="array", items=item, **keywords)


def pairs(value: Json, description: str) -> Json:
    """An object with keys of its own."""
    return described(description, type="object", additionalProperties=value)


def ref(name: str) -> Json:
    """A reference to one of the definitions of the same document."""
    return {"$ref": f"#/$defs/{name}"}


def record(description: str, properties: Mapping[str, Json], optional: Iterable[str] = ()) -> Json:
    """An object with these properties; a later release may add others. All are required but the `optional` ones."""
    absent = set(optional)
    if unknown := absent - properties.keys():
        raise ValueError(f"optional, but no property: {', '.join(sorted(unknown))}")
    required = [name for name in properties if name not in absent]
    return described(description, type="object", properties=dict(properties), required=required, additionalProperties=True)


def noun(cls: Any, description: str, about: Mapping[str, str | Json]) -> Json:
    """An object of `to_json()` of this dataclass: its fields, of which those with a default may be missing.

    `about` has the description of each field, or its whole schema where JSON carries another type. Raises `ValueError` unless it
    describes exactly the fields that exist.
    """
    fields = {field.name: field for field in dataclasses.fields(cls)}
    if wrong := fields.keys() ^ about.keys():
        raise ValueError(f"{cls.__name__}: fields without a description, or descriptions without a field: {sorted(wrong)}")
    hints = typing.get_type_hints(cls)
    properties = {name: _described(about[name], hints[name]) for name in fields}
    return record(description, properties, [name for name, field in fields.items() if _has_default(field)])


def relocated(schema: Any, place: str) -> Any:
    """The same schema for a document that keeps the definitions at another place, such as `#/components/schemas/`."""
    if isinstance(schema, dict):
        moved = {key: relocated(value, place) for key, value in schema.items()}
        pointer = moved.get("$ref")
        return moved | {"$ref": pointer.replace("#/$defs/", place)} if isinstance(pointer, str) else moved
    return [relocated(item, place) for item in schema] if isinstance(schema, list) else schema


def _has_default(field: "dataclasses.Field[Any]") -> bool:
    return not (field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING)


def _described(about: str | Json, hint: Any) -> Json:
    return described(about, **_typed(hint)) if isinstance(about, str) else about


def _typed(hint: Any) -> Json:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return {"type": "string", "enum": list(inner)}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_typed(one) for one in inner]}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _typed(inner[1])}
    return dict(_TYPES[hint])
