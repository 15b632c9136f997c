"""Foreign origins are refused, unless CORS rules of the bucket or the request's own authorization admit them."""

from datetime import timedelta
from typing import Any

import pytest
import requests
from google.oauth2 import service_account

from tests.localcloud.storage.clients import python_client
from tests.localcloud.storage.test_storage_signed_urls import sign
from tests.localcloud.storage.world import World

FOREIGN = {"Origin": "https://a.test"}
LOCAL = {"Origin": "http://localhost:5173"}


def allow(world: World, bucket: str, *methods: str) -> None:
    """Give the bucket a CORS rule for that origin."""
    rule = {"origin": ["https://a.test"], "method": list(methods), "responseHeader": ["content-type"]}
    world.http.patch(f"{world.url}/storage/v1/b/{bucket}", json={"cors": [rule]}).raise_for_status()


def preflight(world: World, url: str, method: str, **headers: str) -> Any:
    return world.http.options(url, headers={"Access-Control-Request-Method": method} | headers).headers


def test_the_json_api_answers_pages_of_this_machine(world: World, bucket: str) -> None:
    asked = {"Access-Control-Request-Headers": "x-a", **LOCAL}
    missing = world.http.get(world.object_url(bucket, "x"), headers=LOCAL)

    assert preflight(world, world.object_url(bucket, "x"), "PATCH", **asked)["Access-Control-Allow-Headers"] == "x-a"
    assert (missing.status_code, missing.headers["Access-Control-Allow-Origin"]) == (404, "http://localhost:5173")


@pytest.mark.parametrize("origin", ["https://a.test", "null"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/storage/v1/b?project=p"),
        ("POST", "/storage/v1/b?project=p"),
        ("GET", "/storage/v1/b/{bucket}/o/x?alt=media"),
        ("DELETE", "/storage/v1/b/{bucket}/o/x?upload_id=1"),
        ("PATCH", "/b/{bucket}/o/x?X-Goog-Signature=00"),
        ("GET", "/download/storage/v1/b/{bucket}/o/x?alt=media"),
        ("POST", "/upload/storage/v1/b/{bucket}/o?uploadType=media&name=y"),
        ("POST", "/storage/v1/b/{bucket}/o/x/copyTo/b/{bucket}/o/y"),
        ("POST", "/batch/storage/v1"),
        ("GET", "/{bucket}/x"),
        ("GET", "/{bucket}?upload_id=1"),
        ("PUT", "/{bucket}/y"),
        ("DELETE", "/{bucket}/x"),
        ("POST", "/{bucket}/x?uploads"),
    ],
)
def test_a_foreign_page_reads_and_changes_nothing(world: World, bucket: str, origin: str, method: str, path: str) -> None:
    world.upload(bucket, "x", b"hello")
    url = world.url + path.format(bucket=bucket)
    refused = world.http.request(method, url, data=b"{}", headers={"Origin": origin, "Content-Type": "text/plain"})

    assert refused.status_code == 403
    assert "is refused: the local cloud serves web pages of this machine only" in refused.text
    assert "Access-Control-Allow-Origin" not in refused.headers
    assert "Access-Control-Allow-Origin" not in preflight(world, url, method, Origin=origin)
    assert world.names(bucket) == ["x"]


def test_a_rule_of_the_bucket_admits_a_foreign_page(world: World, bucket: str) -> None:
    allow(world, bucket, "GET", "PUT")
    world.upload(bucket, "x", b"hello")
    media, xml = world.object_url(bucket, "x", "?alt=media"), f"{world.url}/{bucket}/x"
    read = [world.http.get(url, headers=FOREIGN) for url in (media, xml)]

    assert [(reply.status_code, reply.content) for reply in read] == [(200, b"hello")] * 2
    assert [reply.headers["Access-Control-Allow-Origin"] for reply in read] == ["https://a.test"] * 2
    assert world.http.put(xml, data=b"new", headers=FOREIGN).status_code == 200
    for url in (media, xml):
        assert preflight(world, url, "GET", **FOREIGN)["Access-Control-Allow-Origin"] == "https://a.test"
        assert world.http.delete(url, headers=FOREIGN).status_code == 403
        assert world.http.get(url, headers={"Origin": "https://b.test"}).status_code == 403


def test_a_rule_counts_for_the_overriding_method(world: World, bucket: str) -> None:
    allow(world, bucket, "GET", "POST")
    world.upload(bucket, "x", b"hello")
    for method in ("GET", "POST"):
        override = {"X-HTTP-Method-Override": "DELETE", **FOREIGN}
        refused = world.http.request(method, world.object_url(bucket, "x"), headers=override)

        assert refused.status_code == 403
        assert "Access-Control-Allow-Origin" not in refused.headers
    read = world.http.post(world.object_url(bucket, "x"), headers={"X-HTTP-Method-Override": "GET", **FOREIGN})

    assert read.headers["Access-Control-Allow-Origin"] == "https://a.test"
    assert world.names(bucket) == ["x"]


def test_a_rule_of_one_bucket_does_not_open_another(world: World, bucket: str) -> None:
    allow(world, bucket, "GET", "POST")
    world.bucket(f"{bucket}-other")
    world.upload(bucket, "x", b"hello")
    copied = world.http.post(world.object_url(bucket, "x", f"/copyTo/b/{bucket}-other/o/x"), json={}, headers=FOREIGN)

    assert copied.status_code == 403
    assert world.names(f"{bucket}-other") == []


def test_a_signed_url_serves_a_foreign_page(world: World, bucket: str) -> None:
    url = sign(world, bucket, "x", "PUT")
    stored = world.http.put(url, data=b"hello", headers=FOREIGN)
    forged = world.http.put(url.replace("x?", "y?"), data=b"hello", headers=FOREIGN)

    assert stored.status_code == 200
    assert "Access-Control-Allow-Origin" not in stored.headers
    assert forged.status_code == 403
    assert world.names(bucket) == ["x"]


def test_the_url_of_a_session_serves_a_foreign_page(world: World, bucket: str) -> None:
    json_url = f"{world.url}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&name=json"
    xml_url = sign(world, bucket, "xml", "RESUMABLE")
    sessions = [
        world.http.post(json_url, json={}).headers["Location"],
        world.http.post(xml_url, headers={"x-goog-resumable": "start", **FOREIGN}).headers["Location"],
    ]

    assert [world.http.put(url, data=b"hello", headers=FOREIGN).status_code for url in sessions] == [200, 200]
    assert world.names(bucket) == ["json", "xml"]


def test_a_form_of_a_foreign_page_needs_a_policy_or_a_rule(world: World, bucket: str) -> None:
    key = service_account.Credentials.from_service_account_file(str(world.accounts.key_file("signer")))
    policy = python_client(world).generate_signed_post_policy_v4(
        bucket, "signed", timedelta(minutes=5), conditions=[["starts-with", "$content-type", ""]], credentials=key
    )

    def post(fields: dict[str, str]) -> int:
        url = f"{world.url}/{bucket}"
        return requests.post(url, data=fields, files={"file": ("a", b"hello")}, headers=FOREIGN, timeout=60).status_code

    assert post({"key": "unsigned"}) == 403
    assert post(policy["fields"]) == 204
    assert world.names(bucket) == ["signed"]
    allow(world, bucket, "POST")
    assert post({"key": "unsigned"}) == 204


@pytest.mark.parametrize(
    "path", ["/{bucket}/x", "/storage/v1/b/{bucket}/o/x?alt=media", "/download/storage/v1/b/{bucket}/o/x?alt=media"]
)
def test_a_stored_page_gets_no_origin_of_this_machine(world: World, bucket: str, path: str) -> None:
    world.upload(bucket, "x", b"<script>...</script>")

    def policy(content_type: str) -> str | None:
        world.http.patch(world.object_url(bucket, "x"), json={"contentType": content_type}).raise_for_status()
        found: str | None = world.http.get(world.url + path.format(bucket=bucket)).headers.get("Content-Security-Policy")
        return found

    for content_type in ("text/html", "image/svg+xml", "", "application/pdf, text/html"):
        found = policy(content_type)
        assert found is not None, content_type
        assert found.startswith("sandbox ")
        assert "allow-same-origin" not in found
    # Browsers show no PDF in a sandbox.
    assert policy("application/pdf") is None


def test_a_page_gets_no_origin_by_a_parameter(world: World, bucket: str) -> None:
    world.upload(bucket, "x", b"<script>...</script>")
    world.http.patch(world.object_url(bucket, "x"), json={"contentType": "application/pdf"}).raise_for_status()
    shown = world.http.get(sign(world, bucket, "x", "GET", response_type="text/html"))

    assert shown.headers["Content-Type"] == "text/html"
    assert shown.headers["Content-Security-Policy"].startswith("sandbox ")
