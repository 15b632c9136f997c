"""docs/pipeline.schema.json, which editors read: it is generated, and right and wrong files pass or fail it."""

import json
import tomllib
from typing import Any

import jsonschema
import pytest

from shared.routes import keys
from shared.routes.kinds import Key
from shared.routes.schema import schema
from shared.settings import ROOT
from tests.unit.pipelines import table

SHIPPED = ROOT / "pipeline.toml"
VALIDATOR = jsonschema.Draft202012Validator(schema())
SETTINGS = (ROOT / "docs" / "settings.md").read_text()


def test_the_schema_in_the_docs_is_the_generated_one() -> None:
    stored = json.loads((ROOT / "docs" / "pipeline.schema.json").read_text())

    assert stored == json.loads(json.dumps(schema())), "python -m shared.routes.schema > docs/pipeline.schema.json"


def test_the_schema_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_the_first_line_of_pipeline_toml_names_the_schema() -> None:
    mark, _, path = SHIPPED.read_text().partition("\n")[0].partition(" ")

    assert (mark, (SHIPPED.parent / path).resolve()) == ("#:schema", ROOT / "docs" / "pipeline.schema.json")


@pytest.mark.parametrize("path", ["pipeline.toml", "tests/data/pipeline.toml"])
def test_our_own_files_pass(path: str) -> None:
    VALIDATOR.validate(tomllib.loads((ROOT / path).read_text()))


RENDITIONS = {"after": ["a"], "input": "a/256.webp", "per_file": ["sizes"], "options": {"sizes": [1], "quality": 5}}
WHEN = {"step": "a", "fact": "n"}


@pytest.mark.parametrize(
    "step",
    [
        RENDITIONS,
        {"after": [], "per_file": []},
        {"options": {"quality": {"webp": 80}}},
        {"cache_control": "public, max-age=31536000", "copy_metadata": True},
        {"when": WHEN | {"is": True}},
        {"when": WHEN | {"in": [1, "two"]}},
        {"when": WHEN | {"min": 1, "max": 2.5}},
        {"processor": "any.digest", "options": {}, "per_file": []},
    ],
)
def test_a_right_step_passes(step: dict[str, Any]) -> None:
    VALIDATOR.validate(table({"a": step}))


def test_a_list_of_content_types_passes() -> None:
    VALIDATOR.validate(table({"a": {}}, {"steps": ["a"], "content_type": ["image/png", "*/*"]}))


def test_a_right_route_passes() -> None:
    VALIDATOR.validate(
        table({"a": {}}, {"steps": ["a"], "queue": "slow", "metadata": {"a": "b"}, "max_bytes": 5, "on_request": True})
    )


@pytest.mark.parametrize(
    "step",
    [
        {"after": "a"},
        {"input": "a"},
        {"when": WHEN},
        {"when": WHEN | {"is": 1, "in": [1]}},
        {"when": WHEN | {"is": 1, "min": 1}},
        {"when": {"is": 1}},
        {"cache_control": "max-age: 5"},
        {"copy_metadata": "yes"},
        {"when": WHEN | {"in": []}},
        {"processor": "image.rendition"},
        {"per_file": ["size"]},
        {"options": {"size": 1}},
        {"options": {"sizes": "1"}},
        {"options": {"quality": {"webp": "high"}}},
        {"options": {"quality": "high"}},
        {"processor": "any.digest", "options": {"sizes": [1]}},
        {"processor": "any.digest", "per_file": ["sizes"]},
        {"retries": 5},
    ],
)
def test_a_wrong_step_fails(step: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(table({"a": step}))


@pytest.mark.parametrize(
    "route",
    [
        {},
        {"steps": []},
        {"steps": ["a"], "content_type": "image"},
        {"steps": ["a"], "content_type": []},
        {"steps": ["a"], "content_type": ["image"]},
        {"steps": ["a"], "name": ""},
        {"steps": ["a"], "metadata": {"a": 5}},
        {"steps": ["a"], "max_bytes": 0},
        {"steps": ["a"], "on_request": "yes"},
        {"steps": ["a"], "size": 5},
    ],
)
def test_a_wrong_route_fails(route: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(table({"a": {}}, route))


@pytest.mark.parametrize("name", ["file", "A", "1", "a_b"])
def test_a_wrong_name_of_a_step_fails(name: str) -> None:
    assert not VALIDATOR.is_valid(table({name: {}}))


WEBHOOK = {"url": "https://orders.test/", "secret": "secret-manager:orders"}


def test_a_webhook_passes() -> None:
    assert VALIDATOR.is_valid(
        table({"a": {}}) | {"webhooks": {"orders": WEBHOOK | {"notices": ["step"], "verdicts": ["dead"]}}}
    )


@pytest.mark.parametrize(
    "wrong",
    [{"url": "orders.test"}, {"secret": "env:PATH"}, {"notices": ["a"]}, {"notices": []}, {"verdicts": ["a"]}, {"a": 1}],
)
def test_a_wrong_webhook_fails(wrong: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(table({"a": {}}) | {"webhooks": {"orders": WEBHOOK | wrong}})


def test_a_queue_without_a_number_fails() -> None:
    wrong = table({"a": {}})
    del wrong["queues"]["slow"]["attempts"]

    assert not VALIDATOR.is_valid(wrong)


@pytest.mark.parametrize(
    ("path", "table"),
    [
        ("pools.<name>", keys.POOL),
        ("queues.<name>", keys.QUEUE),
        ("steps.<name>", keys.STEP),
        ("steps.<name>.when", keys.WHEN),
        ("routes[]", keys.ROUTE),
        ("webhooks.<name>", keys.WEBHOOK),
    ],
)
def test_every_key_has_its_row_in_the_docs(path: str, table: dict[str, Key]) -> None:
    rows = [f"| `{path}.{name}` | {key.about}" for name, key in table.items()]

    assert [row for row in rows if f"\n{row}" not in SETTINGS] == [], "docs/settings.md lacks the rows that begin with these"
