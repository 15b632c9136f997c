"""Valid request bodies with an odd value in each place."""

import copy
import math
from collections.abc import Iterator
from typing import Any

import pytest

_VALUES: list[Any] = [
    *(None, True, 0, -1, 1.5, 10**30, math.nan, math.inf),
    *("", "x", "\ud800", "\u0001", "é" * 300, "http://[::1", "[::1", "9" * 5000),
    *([], ["a"], [None], [[]], [{}], {}, {"a": 1}, {"a": None}, {"": {}}),
]


#: How many of the values a test puts into each place: one in so many, in turn, or every one.
shares = pytest.mark.parametrize("one_in", [5, pytest.param(1, marks=pytest.mark.long)])


def variants(body: Any, one_in: int = 1) -> Iterator[Any]:
    """The body with odd values in each place, its own included: every value, or one in so many in turn."""
    for number, place in enumerate(_places(body)):
        for value in _VALUES[number % one_in :: one_in]:
            yield _replaced(body, place, value)


def _places(body: Any) -> Iterator[tuple[Any, ...]]:
    yield ()
    items = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in items:
        for place in _places(value):
            yield key, *place


def _replaced(body: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    result = copy.copy(body)
    result[place[0]] = _replaced(body[place[0]], place[1:], value)
    return result
