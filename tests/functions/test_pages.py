"""Web pages of other origins: preflights, and answers that they may read, on every service that they may call."""

from dataclasses import replace

import pytest
from werkzeug.test import TestResponse

from shared.testing import FakeCloud
from tests.functions.calls import KEY, Load, refused

APP, OTHER = "https://app.example", "https://other.example"
SERVICES = ["upload", "issuer", "status"]


@pytest.fixture(autouse=True)
def _origins(cloud: FakeCloud) -> None:
    cloud.settings = replace(cloud.settings, origins=("https://first.example", APP))


def preflight(client: Load, service: str, method: str, headers: str = "", origin: str = APP) -> TestResponse:
    asked = {"origin": origin, "access-control-request-method": method, "access-control-request-headers": headers}
    return client(service).options("/objects/a.jpg" if service == "status" else "/", headers=asked)


def listed(answer: TestResponse, name: str) -> set[str]:
    return {part.strip() for part in answer.headers.get(name, "").lower().split(",")}


@pytest.mark.parametrize(
    ("service", "method", "headers"),
    [
        ("upload", "POST", {"idempotency-key", "content-type", "authorization", "x-goog-meta-order", "content-digest"}),
        ("upload", "PUT", {"x-goog-meta-sluice-steps", "x-goog-meta-any.key_at-all", "content-encoding", "x-goog-hash"}),
        ("issuer", "POST", {"idempotency-key", "content-type", "authorization"}),
        ("issuer", "GET", {"idempotency-key"}),
        ("status", "GET", {"authorization", "if-none-match"}),
        ("status", "HEAD", {"traceparent"}),
    ],
)
def test_a_preflight_allows_what_the_service_heeds(client: Load, service: str, method: str, headers: set[str]) -> None:
    answer = preflight(client, service, method, ", ".join(sorted(headers)).title())

    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == APP
    assert method.lower() in listed(answer, "access-control-allow-methods")
    assert headers <= listed(answer, "access-control-allow-headers")
    assert answer.headers["access-control-max-age"] == "3600"
    assert {"origin", "access-control-request-headers"} <= listed(answer, "vary")


@pytest.mark.parametrize("service", SERVICES)
def test_a_preflight_allows_nothing_else(client: Load, service: str) -> None:
    answer = preflight(client, service, "DELETE", "cookie, x-anything, x-goog-acl, x-goog-meta-, x-goog-meta-two words")
    allowed = listed(answer, "access-control-allow-headers")

    assert not {"cookie", "x-anything", "x-goog-acl", "x-goog-meta-", "x-goog-meta-two words", "*"} & allowed
    assert not {"delete", "patch", "*"} & listed(answer, "access-control-allow-methods")
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "origin",
    [
        *(OTHER, "null", "", "*", "http://app.example", "https://app.example:8443", "https://app.example.evil.example"),
        *(
            "https://APP.example",
            "https://evil.example https://app.example",
            "https://app.example/",
            f"{APP},https://x.example",
        ),
    ],
)
def test_a_page_of_another_origin_reads_nothing(client: Load, service: str, origin: str) -> None:
    answer = preflight(client, service, "GET", origin=origin)
    got = client(service).get("/", headers={"origin": origin})

    refused(answer, 403, "foreign_origin")
    for one in (answer, got):
        assert not [name for name, _ in one.headers if name.lower().startswith("access-control-")]
        assert "origin" in listed(one, "vary")


def test_a_page_reads_receipts_and_refusals(client: Load, photo: bytes) -> None:
    answers = [
        client("upload").put("/a.jpg", data=photo, headers={"origin": APP}),
        client("upload").put("/a.jpg", data=b"", headers={"origin": APP}),
        client("upload").put("/a.jpg", data=photo, headers={"origin": APP, "idempotency-key": "order-4711"}),
        client("upload").delete("/a.jpg", headers={"origin": APP}),
        client("issuer").get("/?name=a.jpg&content_type=image/jpeg", headers={"origin": APP, "idempotency-key": KEY}),
        client("issuer").get("/", headers={"origin": APP}),
        client("status").get("/objects/none.jpg", headers={"origin": APP}),
    ]

    assert [answer.status_code for answer in answers] == [202, 400, 400, 405, 200, 400, 404]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == APP
        assert {"etag", "retry-after"} <= listed(answer, "access-control-expose-headers")
        assert "origin" in listed(answer, "vary")


def test_a_page_reads_that_a_service_has_failed(client: Load, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud.uploads, "find", lambda _name: 1 / 0)
    answer = client("status").get("/objects/a.jpg", headers={"origin": APP})

    refused(answer, 500, "internal")
    assert answer.headers["access-control-allow-origin"] == APP


def test_a_page_reads_that_nothing_has_changed(client: Load) -> None:
    status = client("status")
    receipt = client("upload").put("/a.txt", data=b"words").json or {}
    first = status.get(f"/objects/{receipt['object']}", headers={"origin": APP})
    again = status.get(f"/objects/{receipt['object']}", headers={"origin": APP, "if-none-match": first.headers["etag"]})

    assert (again.status_code, again.headers["access-control-allow-origin"]) == (304, APP)


@pytest.mark.parametrize("service", SERVICES)
def test_options_without_a_preflight_stays_refused(client: Load, service: str) -> None:
    refused(client(service).options("/objects/a" if service == "status" else "/"), 405, "method_not_allowed")


@pytest.mark.parametrize("service", SERVICES)
def test_without_origins_no_page_is_let_in(client: Load, cloud: FakeCloud, service: str) -> None:
    cloud.settings = replace(cloud.settings, origins=())
    got = client(service).get("/", headers={"origin": APP})

    refused(preflight(client, service, "GET"), 403, "foreign_origin")
    refused(preflight(client, service, "GET", origin=""), 403, "foreign_origin")
    assert "access-control-allow-origin" not in got.headers
    assert "vary" not in got.headers


@pytest.mark.parametrize("service", ["dispatcher", "processor", "console"])
def test_no_page_calls_the_other_services(client: Load, service: str) -> None:
    answer = preflight(client, service, "POST")

    assert answer.status_code >= 400
    assert "access-control-allow-origin" not in answer.headers
