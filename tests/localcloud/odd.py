"""Valid request bodies with an odd value in each place."""

import copy
import math
from collections.abc import Iterator
from typing import Any

_VALUES: list[Any] = [
    *(None, True, 0, -1, 1.5, 10**30, math.nan, math.inf),
    *("", "x", "\ud800", "\u0001", "é" * 300, "http://[::1", "[::1", "9" * 5000),
    *([], ["a"], [None], [[]], [{}], {}, {"a": 1}, {"a": None}, {"": {}}),
]


def variants(body: Any) -> Iterator[Any]:
    """The body with each odd value in each place, its own included."""
    for place in _places(body):
        for value in _VALUES:
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
