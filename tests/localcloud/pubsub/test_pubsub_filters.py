"""The filter language, as documented."""

import pytest

from localcloud.errors import ApiError
from localcloud.pubsub.rules.filters import parse_filter

MATCHING = [
    ("", {}),
    ("attributes:domain", {"domain": ""}),
    ('attributes:"com.example/x"', {"com.example/x": "1"}),
    ('attributes.domain = "com"', {"domain": "com"}),
    ('attributes."two words"="a"', {"two words": "a"}),
    ('attributes.domain != "com"', {"domain": "org"}),
    ('attributes.domain != "com"', {}),
    ('hasPrefix(attributes.domain, "co")', {"domain": "com"}),
    ("NOT attributes:domain", {}),
    ("-attributes:domain", {}),
    ("-(attributes:a OR attributes:b)", {"c": ""}),
    ("attributes:a AND attributes:b AND attributes:c", {"a": "", "b": "", "c": ""}),
    ("(attributes:a AND attributes:b) OR attributes:c", {"c": ""}),
    ('attributes:ce-type AND NOT hasPrefix(attributes.ce-source, "//x")', {"ce-type": "", "ce-source": "//y"}),
    (r'attributes.a = "\"\\\u00e9\x41\101"', {"a": '"\\éAA'}),
]

OTHERS = [
    ("attributes:domain", {}),
    ('attributes.domain = "com"', {"domain": "Com"}),
    ('attributes.domain = "com"', {}),
    ('attributes.domain != "com"', {"domain": "com"}),
    ('hasPrefix(attributes.domain, "co")', {"domain": "xco"}),
    ('hasPrefix(attributes.domain, "")', {}),
    ("attributes:a AND attributes:b", {"a": ""}),
    ("attributes:a OR attributes:b", {"c": ""}),
    ("NOT attributes:a AND attributes:b", {"a": "", "b": ""}),
]

INVALID = [
    "domain",
    "attributes",
    "attributes:",
    'attributes.a === "b"',
    'attributes.a = "b" x',
    "attributes.a = b",
    'attributes.a = "b',
    "attributes:a AND attributes:b OR attributes:c",
    "attributes:a and attributes:b",
    "(attributes:a",
    "attributes:AND",
    'hasPrefix(attributes.a "b")',
    "attributes:a AND",
    r'attributes.a = "\q"',
    'attributes.a = "' + "x" * 256 + '"',
    "data:x",
]


@pytest.mark.parametrize(("text", "attributes"), MATCHING)
def test_a_filter_matches(text: str, attributes: dict[str, str]) -> None:
    assert parse_filter(text)(attributes)


@pytest.mark.parametrize(("text", "attributes"), OTHERS)
def test_a_filter_does_not_match(text: str, attributes: dict[str, str]) -> None:
    assert not parse_filter(text)(attributes)


@pytest.mark.parametrize("text", INVALID)
def test_an_invalid_filter_is_refused(text: str) -> None:
    with pytest.raises(ApiError, match="Invalid filter") as refused:
        parse_filter(text)

    assert refused.value.status == "INVALID_ARGUMENT"
