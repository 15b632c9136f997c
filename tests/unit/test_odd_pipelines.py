"""Odd values anywhere in pipeline.toml are accepted or refused by name, and never end in a traceback."""

import copy
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from shared import routes
from shared.errors import BadConfiguration
from tests.unit.pipelines import WHOLE

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
        routes.check(table)
    except BadConfiguration as error:
        return error.message
    return ""


@pytest.mark.parametrize("place", list(places(tomllib.loads(WHOLE))), ids=lambda place: ".".join(map(str, place)) or "root")
def test_an_odd_value_anywhere_is_accepted_or_named(place: Place) -> None:
    for value in ODD:
        message = complaint(replaced(tomllib.loads(WHOLE), place, value))

        assert message == "" or re.match(rf"{place[0] if place else ''}.*: .+; ", message, re.DOTALL), message
        assert len(message) < 700


@pytest.mark.parametrize("place", [place for place in places(tomllib.loads(WHOLE)) if place], ids=str)
def test_an_odd_key_anywhere_is_accepted_or_named(place: Place) -> None:
    for key in ("", "x", "a.b", "A", "é" * 300, "a\nb", "name"):
        message = complaint(replaced(tomllib.loads(WHOLE), place, {key: 5}))

        assert message == "" or ";" in message
