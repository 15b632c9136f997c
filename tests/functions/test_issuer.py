"""The issuer over HTTP, on the fake cloud."""

from typing import Any

import pytest

from shared.testing import FakeCloud
from tests.functions.calls import Load, refused


def test_a_ticket_says_all_that_is_needed_to_use_it(client: Load, cloud: FakeCloud) -> None:
    ticket = client("issuer").post("/", json={"name": "photo.jpg", "content_type": "image/jpeg", "size": 1000}).json

    assert ticket is not None
    assert ticket["method"] == "PUT"
    assert ticket["headers"] == {
        "content-type": "image/jpeg",
        "x-goog-content-length-range": "1000,1000",
        "x-goog-if-generation-match": "0",
    }
    assert ticket["url"] in ticket["curl"]
    assert ticket["status_url"].endswith(ticket["object"])
    assert set(ticket) == {"method", "url", "headers", "object", "file_id", "status_url", "expires_at", "curl"}


def test_a_quick_get_gives_a_ticket_too(client: Load) -> None:
    ticket = client("issuer").get("/?name=photo.jpg&content_type=image/jpeg&resumable=true&size=5").json

    assert ticket is not None
    assert (ticket["method"], ticket["headers"]["x-goog-resumable"]) == ("POST", "start")


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
def test_a_wrong_wish_is_refused_by_the_name_of_its_field(client: Load, asked: dict[str, Any], field: str) -> None:
    assert refused(client("issuer").post("/", json=asked), 400, "bad_request").startswith(f"{field}:")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 5000])
def test_a_wish_that_is_no_json_object_is_refused(client: Load, body: bytes) -> None:
    refused(client("issuer").post("/", data=body), 400, "bad_json")


def test_a_wish_over_the_limits_is_refused(client: Load) -> None:
    issuer = client("issuer")
    too_large = issuer.post("/", json={"name": "a.jpg", "content_type": "image/jpeg", "size": 6_000_000})

    assert refused(too_large, 413, "too_large").startswith("size:")
    refused(issuer.post("/", data=b"x" * 20_000), 413, "too_large")
    refused(issuer.put("/", data=b"{}"), 405, "method_not_allowed")
    refused(issuer.get("/elsewhere"), 404, "not_found")


def test_a_ticket_for_the_same_key_is_for_the_same_object(client: Load) -> None:
    asked = {"name": "a.jpg", "content_type": "image/jpeg"}
    tickets = [client("issuer").post("/", json=asked, headers={"idempotency-key": key}).json or {} for key in "kko"]

    assert [ticket["object"] == tickets[0]["object"] for ticket in tickets] == [True, True, False]


def test_a_key_that_utf8_cannot_write_is_told_back(client: Load) -> None:
    assert "\udc80" in refused(client("issuer").post("/", data=b'{"\\udc80": 1}'), 400, "bad_request")
