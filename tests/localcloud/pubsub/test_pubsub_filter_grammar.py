"""Random filters of the grammar give the same result as a plain evaluation of their trees."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from localcloud.pubsub.rules.filters import MAX_BYTES, parse_filter

KEYS = st.sampled_from(["a", "b", "ce-type", "two words", 'quo"te', "é", "AND"])
VALUES = st.sampled_from(["", "x", "xy", "y", 'x"y', "\\", "ü\n"])
ATTRIBUTES = st.dictionaries(KEYS, VALUES)

LEAVES = st.one_of(
    st.tuples(st.just("has"), KEYS),
    st.tuples(st.sampled_from(["=", "!=", "hasPrefix"]), KEYS, VALUES),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["NOT ", "-"]), inner),
        st.tuples(st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=5,
)


def written(tree: Any) -> str:
    """A tree as filter text."""
    match tree:
        case ("has", key):
            return f"attributes:{quoted(key)}"
        case ("hasPrefix", key, value):
            return f"hasPrefix(attributes.{quoted(key)}, {json.dumps(value)})"
        case ("=" | "!=" as operator, key, value):
            return f"attributes.{quoted(key)} {operator} {json.dumps(value, ensure_ascii=False)}"
        case ("NOT " | "-" as operator, inner):
            return f"{operator}({written(inner)})"
        case (operator, terms):
            return f" {operator} ".join(f"({written(term)})" for term in terms)
    raise AssertionError(tree)


def quoted(key: str) -> str:
    """A key, in quotes unless it is a plain word."""
    return key if key in ("a", "b", "ce-type") else json.dumps(key, ensure_ascii=False)


def holds(tree: Any, attributes: Mapping[str, str]) -> bool:
    """The reference evaluation of a tree, operator by operator as documented."""
    match tree:
        case ("has", key):
            return key in attributes
        case ("hasPrefix", key, value):
            return key in attributes and bool(attributes[key][: len(value)] == value)
        case ("=", key, value):
            return bool(attributes.get(key) == value)
        case ("!=", key, value):
            return bool(attributes.get(key) != value)
        case ("NOT " | "-", inner):
            return not holds(inner, attributes)
        case ("AND", terms):
            return all(holds(term, attributes) for term in terms)
        case (_, terms):
            return any(holds(term, attributes) for term in terms)
    raise AssertionError(tree)


@settings(max_examples=100)
@given(tree=TREES.filter(lambda tree: len(written(tree).encode()) <= MAX_BYTES), attributes=ATTRIBUTES)
def test_a_filter_agrees_with_the_evaluation_of_its_tree(tree: Any, attributes: dict[str, str]) -> None:
    assert parse_filter(written(tree))(attributes) == holds(tree, attributes)
