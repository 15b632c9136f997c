"""CORS rules: every header that a page must send or read is allowed."""

from shared import cors, routes
from shared.signed_upload import UploadRequest, sign
from shared.testing import FakeCloud
from tests.unit.pipelines import table

ORIGINS = ["https://console.test"]
ROUTES = routes.check(table({"small": {"per_file": ["quality"]}}, {"steps": ["small"], "on_request": True}))


def test_every_header_of_a_signed_session_is_allowed(cloud: FakeCloud) -> None:
    metadata = {"sluice-steps": "small", "sluice-small-quality": "7"}
    wanted = UploadRequest("a.jpg", "image/jpeg", 5, resumable=True, metadata=metadata)
    sent = {*sign(wanted, cloud)["headers"], "content-range"}

    assert sent <= set(cors.of_uploads(ORIGINS, ROUTES)["responseHeader"])


def test_a_page_may_read_the_session_and_what_has_arrived() -> None:
    rule = cors.of_uploads(ORIGINS, ROUTES)

    assert {"location", "range"} <= set(rule["responseHeader"])
    assert rule["method"] == ["POST", "PUT", "DELETE", "GET"]
    assert rule["origin"] == ORIGINS


def test_results_are_only_read() -> None:
    assert cors.of_results(ORIGINS)["method"] == ["GET", "HEAD"]


def test_a_page_may_send_the_metadata_that_routes_test() -> None:
    tested = routes.check(table({"small": {}}, {"steps": ["small"], "metadata": {"tenant": "zoo"}}))

    assert "x-goog-meta-tenant" in cors.of_uploads(ORIGINS, tested)["responseHeader"]


def test_any_metadata_is_allowed_where_they_are_headers() -> None:
    asked = "X-Goog-Meta-Order, x-goog-meta-a.b_c, x-goog-meta-, x-goog-acl, x-goog-meta-é"

    assert cors.UPLOAD.allowed(asked) == [*cors.UPLOAD.headers, "x-goog-meta-order", "x-goog-meta-a.b_c"]
    assert cors.ISSUER.allowed(asked) == [*cors.ISSUER.headers]
