"""Odd values anywhere in pipeline.toml are accepted or refused by name, and never end in a traceback."""

import copy
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import routes
from shared.errors import BadConfiguration
from shared.model import File, canonical
from shared.plan import Plan
from tests.unit.pipelines import table

POOL = {"cpu": 2, "memory": "4Gi", "concurrency": 3, "max_instances": 7, "deadline_seconds": 540}
#: Every key once, beside those of the queues.
WHOLE = {"pools": {"default": POOL, "other": POOL}} | table(
    {
        "a": {"options": {"sizes": [256], "formats": ["webp"]}, "per_file": ["sizes"]},
        "b": {"after": ["a"], "input": "a/256.webp", "when": {"step": "a", "fact": "n", "min": 1, "max": 2}},
        "c": {"after": ["b"], "when": {"step": "file", "fact": "name", "in": ["x", 1]}},
        "d": {"processor": "any.digest", "when": {"step": "file", "fact": "size", "is": 1}},
    },
    {"steps": ["c", "d"], "queue": "slow", "metadata": {"k": "v"}, "max_bytes": 9, "on_request": True},
)

#: A value of each type that TOML has, and some that are legal and absurd.
ODD: list[Any] = [
    *(True, 0, -1, 7, 10**400, int("f" * 5000, 16), 0.5, float("nan"), float("inf"), "", "x", "a\nb", "é" * 300, "*/*"),
    *([], [1], ["x"], [[]], [{}], [None], {}, {"x": 1}, {"": {}}, {"a" * 300: []}, datetime(2026, 1, 1, tzinfo=UTC)),
]
Place = tuple[str | int, ...]


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """The path of each value in a table, the table's own included."""
    yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places(part, (*place, key))


def replaced(table: Any, place: Place, value: Any) -> Any:
    """A copy of the table with this value at this place."""
    if not place:
        return value
    changed = copy.deepcopy(table)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return changed


def complaint(table: Any) -> str:
    """The refusal of this table, or an empty string; any other exception fails the test."""
    try:
        checked = routes.check(table)
    except BadConfiguration as error:
        return error.message
    plan = checked.plan(File("uploads", "x", 7, 1, "image/png", "", {"k": "v", "sluice-steps": "c,d"}))
    assert Plan.from_json(json.loads(canonical(plan.to_json()))) == plan
    return ""


@pytest.mark.parametrize("place", list(places(WHOLE)), ids=lambda place: ".".join(map(str, place)) or "root")
def test_an_odd_value_anywhere_is_accepted_or_named(place: Place) -> None:
    for value in ODD:
        message = complaint(replaced(WHOLE, place, value))

        assert message == "" or re.match(rf"{place[0] if place else ''}.*: .+; ", message, re.DOTALL), message
        assert max(map(len, message.split("\n"))) < 700


@pytest.mark.parametrize("place", [place for place in places(WHOLE) if place], ids=str)
def test_an_odd_key_anywhere_is_accepted_or_named(place: Place) -> None:
    for key in ("", "x", "a.b", "A", "é" * 300, "a\nb", "name"):
        message = complaint(replaced(WHOLE, place, {key: 5}))

        assert message == "" or ";" in message


@given(st.lists(st.tuples(st.sampled_from(list(places(WHOLE))), st.sampled_from(range(len(ODD)))), max_size=6))
def test_odd_values_in_several_places_are_accepted_or_named(changes: list[tuple[Place, int]]) -> None:
    changed: Any = WHOLE
    for place, value in changes:
        changed = replaced(changed, place, ODD[value]) if place in set(places(changed)) else changed

    assert re.fullmatch("(.*: .+; .+(\n|$))*", complaint(changed))
