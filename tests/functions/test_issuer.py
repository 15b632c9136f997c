"""The issuer over HTTP, on the fake cloud."""

import gzip
from typing import Any

import pytest

from shared.testing import FakeCloud
from tests.functions.calls import KEY, Load, refused


def test_the_answer_has_all_that_an_upload_needs(client: Load, cloud: FakeCloud) -> None:
    answer = client("issuer").post("/", json={"name": "photo.jpg", "content_type": "image/jpeg", "size": 1000}).json

    assert answer is not None
    assert answer["method"] == "PUT"
    assert answer["headers"] == {
        "content-type": "image/jpeg",
        "x-goog-content-length-range": "1000,1000",
        "x-goog-if-generation-match": "0",
    }
    assert answer["url"] in answer["curl"]
    assert answer["status_url"].endswith(answer["object"])
    assert set(answer) == {"method", "url", "headers", "object", "file_id", "status_url", "expires_at", "curl"}


def test_get_signs_too(client: Load) -> None:
    answer = client("issuer").get("/?name=photo.jpg&content_type=image/jpeg&resumable=true&size=5").json

    assert answer is not None
    assert (answer["method"], answer["headers"]["x-goog-resumable"]) == ("POST", "start")


def test_metadata_are_signed_by_either_method(client: Load) -> None:
    issuer = client("issuer")
    posted = issuer.post("/", json={"name": "a.jpg", "content_type": "image/jpeg", "metadata": {"order": "4711"}}).json or {}
    got = issuer.get("/?name=a.jpg&content_type=image/jpeg&x-goog-meta-Order=4711").json or {}

    assert posted["headers"] == got["headers"]
    assert posted["headers"]["x-goog-meta-order"] == "4711"
    assert "-H 'x-goog-meta-order: 4711'" in posted["curl"]


@pytest.mark.parametrize(("key", "code"), [("sluice-hops", "reserved_metadata"), ("two words", "bad_metadata")])
def test_metadata_that_no_file_may_have_are_not_signed(client: Load, key: str, code: str) -> None:
    asked = {"name": "a.jpg", "content_type": "image/jpeg"}

    refused(client("issuer").post("/", json=asked | {"metadata": {key: "1"}}), 400, code)
    refused(client("issuer").get("/", query_string=asked | {f"x-goog-meta-{key}": "1"}), 400, code)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"content_type": "image/jpeg"}, "name"),
        ({"name": "a.jpg"}, "content_type"),
        ({"name": "a.jpg", "content_type": "jpeg"}, "content_type"),
        ({"name": "a.jpg", "content_type": "image/jpeg\r\nx: y"}, "content_type"),
        ({"name": "a.jpg", "content_type": "image/" + "j" * 250}, "content_type"),
        ({"name": "a.jpg", "content_type": "image/jpeg", "size": -1}, "size"),
        ({"name": "a.jpg", "content_type": "image/jpeg", "size": "1"}, "size"),
        ({"name": "a.jpg", "content_type": "image/jpeg", "resumable": 1}, "resumable"),
        ({"name": "a.jpg", "content_type": "image/jpeg", "bucket": "mine"}, "bucket"),
        ({"name": 7, "content_type": "image/jpeg"}, "name"),
    ],
)
def test_a_wrong_field_is_named(client: Load, asked: dict[str, Any], field: str) -> None:
    assert refused(client("issuer").post("/", json=asked), 400, "bad_request").startswith(f"{field}:")


@pytest.mark.parametrize("field", ["name", "content_type"])
def test_a_field_of_another_type_is_not_called_missing(client: Load, field: str) -> None:
    asked = {"name": "a.jpg", "content_type": "image/jpeg"}

    message = refused(client("issuer").post("/", json=asked | {field: 7}), 400, "bad_request")
    assert message == f"{field}: 7 is not a string; send a string"
    message = refused(client("issuer").post("/", json=asked | {field: ""}), 400, "bad_request")
    assert message.startswith(f"{field}: missing; ")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 5000])
def test_a_body_that_is_not_a_json_object_is_refused(client: Load, body: bytes) -> None:
    refused(client("issuer").post("/", data=body), 400, "bad_json")


def test_a_packed_body_is_refused_by_name(client: Load) -> None:
    body = gzip.compress(b'{"name": "a.jpg", "content_type": "image/jpeg"}')
    answer = client("issuer").post("/", data=body, headers={"content-encoding": "gzip"})

    refused(answer, 415, "unsupported_encoding")
    assert answer.headers["accept-encoding"] == "identity"


def test_a_request_over_the_limits_is_refused(client: Load) -> None:
    issuer = client("issuer")
    too_large = issuer.post("/", json={"name": "a.jpg", "content_type": "image/jpeg", "size": 6_000_000})

    assert refused(too_large, 413, "too_large").startswith("size:")
    refused(issuer.post("/", data=b"x" * 20_000), 413, "too_large")
    refused(issuer.put("/", data=b"{}"), 405, "method_not_allowed")
    refused(issuer.get("/elsewhere"), 404, "not_found")


def test_the_same_key_gives_the_same_object(client: Load) -> None:
    asked = {"name": "a.jpg", "content_type": "image/jpeg"}
    keys = [KEY, KEY, "6d0c1c52f7a94c0e8f3b2a1d5e7c9b84"]
    answers = [client("issuer").post("/", json=asked, headers={"idempotency-key": key}).json or {} for key in keys]

    assert [answer["object"] == answers[0]["object"] for answer in answers] == [True, True, False]


def test_a_field_that_utf8_cannot_write_is_named(client: Load) -> None:
    assert "\udc80" in refused(client("issuer").post("/", data=b'{"\\udc80": 1}'), 400, "bad_request")
