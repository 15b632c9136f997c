"""The JSON Schema of pipeline.toml, for editors: `python -m shared.routes.schema > docs/pipeline.schema.json`.

It is looser than the check where a rule spans tables: names, cycles, inputs.
"""

import dataclasses
import json
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from shared import processors
from shared.model import Json
from shared.plan import FILE
from shared.routes import keys
from shared.routes.kinds import Key

_TYPES: Mapping[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def schema() -> Json:
    """The schema, in draft 2020-12."""
    top = _table(keys.TOP)
    top["properties"]["pools"] |= _named(keys.POOL_NAME, _table(keys.POOL))
    top["properties"]["queues"] |= _named(keys.QUEUE_NAME, _table(keys.QUEUE))
    top["properties"]["steps"] |= _named(f"(?!{FILE}$){keys.STEP_NAME}", _step())
    top["properties"]["routes"]["items"] = _table(keys.ROUTE)
    top["properties"]["webhooks"] |= _named(keys.WEBHOOK_NAME, _table(keys.WEBHOOK))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "pipeline.toml of Sluice", **top}


def _table(table: Mapping[str, Key]) -> Json:
    return {
        "type": "object",
        "properties": {name: {"description": key.about, **key.schema} for name, key in table.items()},
        "required": [name for name, key in table.items() if key.required],
        "additionalProperties": False,
    }


def _named(pattern: str, value: Json) -> Json:
    return {"propertyNames": {"pattern": f"^{pattern}$"}, "additionalProperties": value}


def _step() -> Json:
    step = _table(keys.STEP)
    step["properties"]["processor"]["enum"] = processors.names()
    step["properties"]["when"] |= _table(keys.WHEN) | {"oneOf": list(_tests())}
    return step | {"allOf": [_options(name) for name in processors.names()]}


def _tests() -> Iterator[Json]:
    """One test, or min with max: each alternative forbids the others' keys."""
    for test in ("is", "in"):
        yield {"required": [test], "properties": {other: False for other in keys.TESTS if other != test}}
    yield {"anyOf": [{"required": ["min"]}, {"required": ["max"]}], "properties": {"is": False, "in": False}}


def _options(name: str) -> Json:
    """The options of a processor, for steps that name it."""
    cls = processors.find(name).options
    hints = typing.get_type_hints(cls)
    options = {option.name: _option(hints[option.name], option.default) for option in dataclasses.fields(cls)}
    then = {
        "options": {"properties": options, "additionalProperties": False},
        "per_file": {"items": {"enum": list(options)}} if options else {"maxItems": 0},
    }
    return {"if": {"properties": {"processor": {"const": name}}}, "then": {"properties": then}}


def _option(hint: Any, default: Any) -> Json:
    return _typed(hint) | ({} if default is dataclasses.MISSING else {"default": default})


def _inner(cls: Any) -> Json:
    """An option that is a table of options."""
    hints, options = typing.get_type_hints(cls), dataclasses.fields(cls)
    properties = {option.name: _option(hints[option.name], option.default) for option in options}
    required = [option.name for option in options if option.default is dataclasses.MISSING]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _typed(hint: Any) -> Json:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_typed(one) for one in inner if one is not types.NoneType]}
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if origin in (tuple, list):
        return {"type": "array", "items": _typed(inner[0])}
    if dataclasses.is_dataclass(hint):
        return _inner(hint)
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _typed(inner[1])}
    return {"type": _TYPES[hint]} if hint in _TYPES else {}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n")
