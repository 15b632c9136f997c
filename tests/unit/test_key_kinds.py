"""Kinds of values in pipeline.toml: what each takes, and what it refuses."""

from typing import Any

import pytest

from shared.routes import kinds
from shared.routes.kinds import Key

_NAME = kinds.text("a name", "write a name")
_KEYS = {
    "whole": kinds.whole("a number", 1, 3),
    "number": kinds.number("a number", 0.5, 3),
    "memory": kinds.memory("memory"),
    "values": kinds.values("names", "list names", bool, {}),
    "texts": kinds.texts("names", "list names"),
    "name or list": kinds.or_list(_NAME),
    "table": kinds.table("numbers", "write a table", kinds.whole("a number", 1, 3)),
}


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("whole", [1, 3], [0, 4, 1.5, 2.0, True, "1"]),
        ("number", [0.5, 1, 3], [0.4, 3.1, True, float("nan"), "1"]),
        ("memory", ["512Mi", "2Gi", "999999Mi"], ["0Mi", "512", "512mi", " 512Mi", "1000000Mi", 512]),
        ("values", [["a"]], [[], [""], "a"]),
        ("texts", [[], ["a"]], [[1], "a"]),
        ("name or list", ["a", ["a"], ["a", "b"]], ["", [], [""], [1], 1]),
        ("table", [{"a": 1}], [{}, {"a": 4}, {"a": 1, "b": 0}, []]),
    ],
)
def test_a_kind_takes_the_right_values_only(kind: str, right: list[Any], wrong: list[Any]) -> None:
    key: Key = _KEYS[kind]

    assert [value for value in right if not key.accepts(value)] == []
    assert [value for value in wrong if key.accepts(value)] == []


@pytest.mark.parametrize(("amount", "size"), [("1Mi", 1_048_576), ("512Mi", 536_870_912), ("2Gi", 2_147_483_648)])
def test_an_amount_of_memory_has_bytes(amount: str, size: int) -> None:
    assert kinds.in_bytes(amount) == size
