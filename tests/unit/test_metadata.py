"""Custom metadata are checked at the doors, and read from the notification as they are."""

import base64
import json
from typing import Any

import pytest

from shared import events, metadata
from shared.errors import BadRequest
from shared.metadata import MAX_BYTES
from shared.model import File
from tests.conftest import DATA


def refusal(given: Any) -> BadRequest:
    with pytest.raises(BadRequest) as refused:
        metadata.check(given)
    return refused.value


@pytest.mark.parametrize(
    ("given", "checked"),
    [
        ({}, {}),
        ({"order": "4711"}, {"order": "4711"}),
        ({"Order-No": "A 1; b=~"}, {"order-no": "A 1; b=~"}),
        ({"x.y_z!#$%&'*+^`|~": "1"}, {"x.y_z!#$%&'*+^`|~": "1"}),
        ({"note": "  two words "}, {"note": "two words"}),
        ({"empty": "", "blank": "  ", "kept": "0"}, {"kept": "0"}),
        ({"sluice-steps": "ocr", "sluice-previews-sizes": "[64]"}, {"sluice-steps": "ocr", "sluice-previews-sizes": "[64]"}),
        ({"a": "first", "A": "second"}, {"a": "second"}),
    ],
    ids=str,
)
def test_keys_are_lower_case_and_empty_values_are_left_out(given: dict[str, str], checked: dict[str, str]) -> None:
    assert metadata.check(given) == checked


@pytest.mark.parametrize("key", ["", "two words", "a:b", "a\r\nb", "käthe", "a/b", "(a)", "\ud800", "a\0"])
def test_a_key_that_no_header_can_have_is_named(key: str) -> None:
    error = refusal({"good": "1", key: "1"})

    assert (error.code, error.details) == ("bad_metadata", {"field": f"x-goog-meta-{key}"})
    assert error.message.startswith(f"x-goog-meta-{key}: not a key; ")


@pytest.mark.parametrize("value", ["Käthe", "a\nb", "a\r\nx-goog-acl: public-read", "\x7f", "tab\tbed", "\0", "\ud800", "😀"])
def test_a_value_that_is_not_printable_ascii_is_refused_with_its_key(value: str) -> None:
    error = refusal({"Note": value})

    assert error.code == "bad_metadata"
    assert error.message.startswith("x-goog-meta-note: the value has characters that are not printable ASCII; ")


@pytest.mark.parametrize("value", [None, 7, True, ["a"], {"a": "b"}, b"a"])
def test_a_value_is_a_string(value: Any) -> None:
    assert refusal({"note": value}).message == f"x-goog-meta-note: {value!r} is not a string; send a string"


@pytest.mark.parametrize("key", ["sluice-hops", "sluice-parent", "Sluice-Hops", "SLUICE-PARENT"])
@pytest.mark.parametrize("value", ["1", "", None])
def test_keys_of_the_pipeline_itself_are_reserved(key: str, value: Any) -> None:
    error = refusal({key: value})

    assert (error.code, error.details) == ("reserved_metadata", {"field": f"x-goog-meta-{key.lower()}"})
    assert error.message.startswith(f"x-goog-meta-{key.lower()}: only the pipeline sets this key; ")


def test_keys_and_values_have_a_limit_together() -> None:
    assert metadata.check({"a" * 92: "b" * 4000, "c" * 100: "d" * 4000})

    error = refusal({"a" * 92: "b" * 4001, "c" * 100: "d" * 4000})
    assert (error.code, error.details) == ("bad_metadata", {"field": "x-goog-meta-" + "a" * 80})
    assert f"keys and values have {MAX_BYTES + 1} bytes together; the limit is {MAX_BYTES}" in error.message


def test_metadata_are_found_among_headers_by_their_prefix() -> None:
    found = metadata.prefixed({"X-Goog-Meta-Order": "1", "x-goog-meta-b": "2", "X-Goog-Hash": "3", "x-goog-metaphor": "4"})

    assert found == {"Order": "1", "b": "2"}


# ---- the notification


def notified(**changed: Any) -> File:
    """The file of a notification with these fields in its payload."""
    message = json.loads((DATA / "notification.json").read_text())["message"]
    payload = json.loads(base64.b64decode(message["data"])) | changed
    file = events.read(message | {"data": base64.b64encode(json.dumps(payload).encode()).decode()}, "uploads")
    assert isinstance(file, File)
    return file


def test_a_notification_has_the_metadata_of_its_object() -> None:
    kept = {"order": "4711", "Note": "Käthe", "empty": ""}

    assert notified(metadata=kept).metadata == kept
    assert notified().metadata == {}


@pytest.mark.parametrize(
    ("odd", "kept"),
    [(None, {}), ([], {}), ("text", {}), (7, {}), ({"a": 1, "b": "2", "c": None, "d": ["x"]}, {"b": "2"})],
    ids=str,
)
def test_odd_metadata_do_not_lose_the_file(odd: Any, kept: dict[str, str]) -> None:
    assert notified(metadata=odd).metadata == kept
