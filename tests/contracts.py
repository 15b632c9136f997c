"""Validation by the files of docs/contracts/, for every test that has a notice or an answer."""

import functools
import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from shared.events import JOB_FINISHED, STEP_FINISHED, Notice
from shared.settings import ROOT

FOLDER = ROOT / "docs" / "contracts"
#: Kind of notice → the name of its schema.
KINDS = {STEP_FINISHED: "step", JOB_FINISHED: "job"}


@functools.cache
def schema_of(kind: str) -> Draft202012Validator:
    """The validator of the data of a notice, from its file."""
    return validator(json.loads((FOLDER / f"{KINDS[kind]}.schema.json").read_text()))


@functools.cache
def attributes_of(kind: str) -> Draft202012Validator:
    """The validator of the attributes of a notice, from the document of the topic."""
    document = json.loads((FOLDER / "notices.asyncapi.json").read_text())
    return validator(document["components"]["schemas"][f"{KINDS[kind]}_attributes"])


def validator(schema: Any) -> Draft202012Validator:
    """A validator that also checks formats."""
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def faults(notice: Notice) -> list[str]:
    """Each place where a notice breaks its contract, and the rule."""
    kind = notice.attributes["ce-type"]
    data = schema_of(kind).iter_errors(json.loads(notice.data))
    return [f"{error.json_path}: {error.message}" for error in (*data, *attributes_of(kind).iter_errors(notice.attributes))]


def unlisted(value: Any, schema: Any, root: Any) -> Iterator[str]:
    """Paths of the keys that an object has and its schema does not list. Objects with keys of their own list none."""
    schema = resolved(schema, root)
    if isinstance(value, list):
        for item in value:
            yield from unlisted(item, schema.get("items", {}), root)
    if isinstance(value, dict) and "properties" in schema:
        for key, item in value.items():
            if key not in schema["properties"]:
                yield key
            else:
                yield from (f"{key}.{path}" for path in unlisted(item, schema["properties"][key], root))


def resolved(schema: Any, root: Any) -> Any:
    """The schema, or what it refers to within the same document."""
    while "$ref" in schema:
        found = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def listed(schema: Any, root: Any) -> Iterator[str]:
    """Paths of all properties that a schema lists."""
    schema = resolved(schema, root)
    for key, inner in schema.get("properties", {}).items():
        yield key
        yield from (f"{key}.{path}" for path in listed(inner, root))
    if "items" in schema:
        yield from listed(schema["items"], root)


def present(value: Any) -> Iterator[str]:
    """Paths of all keys that a value has; items of a list share the path of the list."""
    for key, item in value.items() if isinstance(value, dict) else ():
        yield key
        yield from (f"{key}.{path}" for path in present(item))
    for item in value if isinstance(value, list) else ():
        yield from present(item)
