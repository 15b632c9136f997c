"""Signed URLs of Google's library, used by curl; tampered ones are refused."""

import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client
from google.cloud.storage._signing import generate_signed_url_v4
from google.oauth2 import service_account

from localcloud.storage.data.uploads import BLOCK_BYTES as BLOCK
from tests.localcloud.storage.world import World

ODD = "dir/é + ~ % & ? # ' x.txt"
TEXT = {"Content-Type": "text/plain"}


def sign(world: World, bucket: str, name: str, method: str, account: str = "signer", **options: Any) -> str:
    client = Client("local-project", AnonymousCredentials(), client_options={"api_endpoint": world.url})
    key = str(world.accounts.key_file(account))
    credentials = service_account.Credentials.from_service_account_file(key)
    blob = client.bucket(bucket).blob(name)
    options = {"version": "v4", "expiration": 600, "api_access_endpoint": world.url} | options
    return str(blob.generate_signed_url(method=method, credentials=credentials, **options))


def curl(*arguments: str) -> str:
    done = subprocess.run(["curl", "-sS", "-i", *arguments], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def test_curl_uploads_and_downloads_with_signed_urls(world: World, bucket: str) -> None:
    put = curl(
        "-X", "PUT", "-H", "Content-Type: text/plain", "-d", "hello", sign(world, bucket, ODD, "PUT", content_type="text/plain")
    )
    got = curl(sign(world, bucket, ODD, "GET", response_disposition="attachment"))

    assert " 200 " in put
    assert "x-goog-hash: crc32c=mnG7TA==" in put
    assert 'etag: "5d41402abc4b2a76b9719d911017c592"' in put
    assert got.endswith("hello")
    assert "content-disposition: attachment" in got
    assert world.names(bucket) == [ODD]


def test_curl_continues_a_signed_resumable_upload(world: World, bucket: str, tmp_path: Path) -> None:
    (tmp_path / "first").write_bytes(b"a" * BLOCK)
    started = curl(*_post(sign(world, bucket, "x", "RESUMABLE", content_type="text/plain")))
    found = re.search(r"(?i)location: (\S+)", started)
    assert found
    total = BLOCK + 5
    first = curl("-H", f"Content-Range: bytes 0-{BLOCK - 1}/{total}", "-T", str(tmp_path / "first"), found[1])
    last = curl("-X", "PUT", "-H", f"Content-Range: bytes {BLOCK}-{total - 1}/{total}", "-d", "world", found[1])

    assert " 201 " in started
    assert f"range: bytes=0-{BLOCK - 1}" in first
    assert " 200 " in last
    assert world.http.get(f"{world.url}/{bucket}/x").content == b"a" * BLOCK + b"world"


def test_signed_headers_are_enforced(world: World, bucket: str) -> None:
    terms = {"x-goog-content-length-range": "3,5", "x-goog-if-generation-match": "0", "x-goog-meta-owner": "me"}
    url = sign(world, bucket, "x", "PUT", content_type="text/plain", headers=terms)

    def put(data: bytes, **headers: str) -> tuple[int, str]:
        reply = world.http.put(url, data=data, headers=TEXT | terms | headers)
        return reply.status_code, _code(reply.text)

    assert put(b"123456") == (400, "EntityTooLarge")
    assert put(b"12") == (400, "EntityTooSmall")
    assert put(b"1234", **{"Content-Type": "text/html"}) == (403, "SignatureDoesNotMatch")
    assert put(b"1234", **{"x-goog-content-length-range": "0,99"}) == (403, "SignatureDoesNotMatch")
    assert put(b"1234", **{"x-goog-meta-more": "1"}) == (400, "MalformedSecurityHeader")
    assert world.names(bucket) == []
    assert put(b"1234") == (200, "")
    assert put(b"1234") == (412, "PreconditionFailed")
    assert world.http.get(f"{world.url}/{bucket}/x").headers["x-goog-meta-owner"] == "me"


@pytest.mark.parametrize("prefix", ["x-goog", "x-amz"])
def test_a_signed_upload_is_not_turned_into_a_copy(world: World, bucket: str, prefix: str) -> None:
    world.upload(bucket, "secret", b"1")
    url = sign(world, bucket, "x", "PUT", content_type="text/plain")

    reply = world.http.put(url, headers=TEXT | {f"{prefix}-copy-source": f"{bucket}/secret"})

    assert (reply.status_code, _code(reply.text)) == (400, "MalformedSecurityHeader")
    assert world.names(bucket) == ["secret"]


def test_a_signed_header_without_a_meaning_is_accepted(world: World, bucket: str) -> None:
    def put(**headers: str) -> int:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        url = sign(world, bucket, "x", "PUT", content_type="text/plain", headers=given)
        return world.http.put(url, data=b"1", headers=TEXT | given).status_code

    assert put(x_goog_my_own="a", x_goog_meta_a="b") == 200
    assert [put(**{name: "a"}) for name in ("x_goog_acl", "x_goog_if_generation_not_match", "x_goog_encryption_key")] == [
        400
    ] * 3
    assert world.http.put(f"{world.url}/{bucket}/x", data=b"1", headers={"x-goog-my-own": "a"}).status_code == 400


def test_a_length_range_limits_chunked_and_resumable_uploads(world: World, bucket: str) -> None:
    terms = {"x-goog-content-length-range": "1,5"}
    url = f"{world.url}/{bucket}/x"

    chunked = world.http.put(url, data=iter([b"123", b"456"]), headers=terms)
    start = world.http.post(url, headers={"x-goog-resumable": "start"} | terms)
    too_long = world.http.put(start.headers["Location"], data=b"123456")

    assert (chunked.status_code, _code(chunked.text)) == (400, "EntityTooLarge")
    assert (too_long.status_code, _code(too_long.text)) == (400, "EntityTooLarge")
    assert world.names(bucket) == []


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (("/x?", "/y?"), 403, "SignatureDoesNotMatch"),
        (("X-Goog-Expires=600", "X-Goog-Expires=601"), 403, "SignatureDoesNotMatch"),
        (("X-Goog-Expires=600", "X-Goog-Expires=604801"), 400, "AuthorizationQueryParametersError"),
        (("X-Goog-Signature=", "X-Goog-Signature=zz"), 400, "AuthorizationQueryParametersError"),
        (("X-Goog-Signature=", "X-Other="), 400, "AuthorizationQueryParametersError"),
        (("X-Goog-SignedHeaders=host", "X-Goog-SignedHeaders=a"), 400, "AuthorizationQueryParametersError"),
        (("signer%40", "nobody%40"), 403, "SignatureDoesNotMatch"),
        (("&", "&more=1&"), 403, "SignatureDoesNotMatch"),
    ],
)
def test_a_changed_url_is_refused(world: World, bucket: str, change: tuple[str, str], status: int, code: str) -> None:
    world.upload(bucket, "x", b"1")
    world.upload(bucket, "y", b"1")
    url = sign(world, bucket, "x", "GET").replace(*change)

    reply = world.http.get(url)

    assert (reply.status_code, _code(reply.text)) == (status, code)


def test_a_url_is_for_one_method_and_until_it_expires(world: World, bucket: str) -> None:
    world.upload(bucket, "x", b"1")
    key = service_account.Credentials.from_service_account_file(str(world.accounts.key_file("signer")))
    past: dict[str, Any] = {"api_access_endpoint": world.url, "_request_timestamp": "20200101T000000Z"}
    old = generate_signed_url_v4(key, f"/{bucket}/x", 600, **past)

    ahead: dict[str, Any] = {"api_access_endpoint": world.url, "_request_timestamp": "20990101T000000Z"}

    expired = world.http.get(old)
    early = world.http.get(generate_signed_url_v4(key, f"/{bucket}/x", 600, **ahead))
    other = world.http.delete(sign(world, bucket, "x", "GET"))

    assert (expired.status_code, _code(expired.text)) == (400, "ExpiredToken")
    assert (early.status_code, _code(early.text)) == (403, "AccessDenied")
    assert (other.status_code, _code(other.text)) == (403, "SignatureDoesNotMatch")


def test_node_signs_the_host_without_its_port(world: World, bucket: str) -> None:
    world.upload(bucket, "x", b"hello")
    host = world.url.rpartition(":")[0]
    url = sign(world, bucket, "x", "GET", api_access_endpoint=host).replace(host, world.url)
    other = sign(world, bucket, "x", "GET", api_access_endpoint="http://localhost").replace("http://localhost", world.url)

    assert world.http.get(url).content == b"hello"
    assert _code(world.http.get(other).text) == "SignatureDoesNotMatch"
    assert _code(world.http.delete(url).text) == "SignatureDoesNotMatch"


def test_a_simple_client_needs_no_signature(world: World, bucket: str) -> None:
    url = f"{world.url}/{bucket}/{quote(ODD)}"

    put = world.http.put(url, data=b"hello", headers=TEXT | {"x-goog-meta-a": "1"})
    head = world.http.head(url)
    same = world.http.get(url, headers={"If-None-Match": head.headers["ETag"]})
    part = world.http.get(url, headers={"Range": "bytes=1-2"})

    assert put.status_code == 200
    assert (head.headers["Content-Length"], head.headers["x-goog-meta-a"]) == ("5", "1")
    assert same.status_code == 304
    assert (part.status_code, part.content) == (206, b"el")
    assert world.http.delete(url).status_code == 204
    assert _code(world.http.get(url).text) == "NoSuchKey"
    assert _code(world.http.get(f"{world.url}/no-such-bucket/x").text) == "NoSuchBucket"


def test_browsers_get_the_bucket_s_cors_headers(world: World, bucket: str) -> None:
    rule = {
        "origin": ["https://a.test"],
        "method": ["PUT"],
        "responseHeader": ["Content-Type", "x-goog-*"],
        "maxAgeSeconds": 60,
    }
    world.http.patch(f"{world.url}/storage/v1/b/{bucket}", json={"cors": [rule]})
    url = f"{world.url}/{bucket}/x"

    def ask(origin: str, method: str, headers: str) -> Any:
        asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
        return world.http.options(url, headers={"Origin": origin} | asked)

    allowed = ask("https://a.test", "PUT", "content-type, x-goog-meta-a")
    put = world.http.put(url, data=b"1", headers={"Origin": "https://a.test"})

    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://a.test"
    assert allowed.headers["Access-Control-Max-Age"] == "60"
    assert put.headers["Access-Control-Allow-Origin"] == "https://a.test"
    for refused in (("https://b.test", "PUT", ""), ("https://a.test", "DELETE", ""), ("https://a.test", "PUT", "x-mine")):
        assert "Access-Control-Allow-Origin" not in ask(*refused).headers


def test_a_page_uploads_in_a_session_and_reads_its_answers(world: World, bucket: str) -> None:
    """Each answer carries CORS headers: to the start, to chunks, and to the cancellation."""
    origin = {"Origin": "https://a.test"}
    rule = {"origin": ["https://a.test"], "method": ["POST", "PUT", "DELETE"]}
    rule["responseHeader"] = ["content-type", "content-range", "location", "range", "x-goog-resumable"]
    world.http.patch(f"{world.url}/storage/v1/b/{bucket}", json={"cors": [rule]})
    url = sign(world, bucket, ODD, "RESUMABLE", content_type="text/plain")

    started = world.http.post(url, headers=TEXT | origin | {"x-goog-resumable": "start"})
    session = started.headers["Location"]
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-range"}
    preflight = world.http.options(session, headers=origin | asked)
    first = world.http.put(
        session, data=b"a" * (1 << 18), headers=origin | {"Content-Range": f"bytes 0-{(1 << 18) - 1}/300000"}
    )
    held = world.http.put(session, headers=origin | {"Content-Range": "bytes */300000"})
    leave = world.http.options(session, headers=origin | {"Access-Control-Request-Method": "DELETE"})
    cancelled = world.http.delete(session, headers=origin)
    gone = world.http.put(session, headers=origin | {"Content-Range": "bytes */300000"})

    answers = [started, preflight, first, held, leave, cancelled, gone]
    assert [answer.status_code for answer in answers] == [201, 200, 308, 308, 200, 499, 410]
    assert {answer.headers["Access-Control-Allow-Origin"] for answer in answers} == {"https://a.test"}
    assert "content-range" in preflight.headers["Access-Control-Allow-Headers"]
    assert "DELETE" in leave.headers["Access-Control-Allow-Methods"]
    assert all({"location", "range"} <= exposed(answer) for answer in (started, first, held))
    assert held.headers["Range"] == f"bytes=0-{(1 << 18) - 1}"


def exposed(answer: Any) -> set[str]:
    """The names of the headers that a page may read."""
    return set(answer.headers["Access-Control-Expose-Headers"].split(", "))


def _post(url: str) -> list[str]:
    return ["-X", "POST", "-H", "x-goog-resumable: start", "-H", "Content-Type: text/plain", "-d", "", url]


def _code(text: str) -> str:
    found = re.search("<Code>(.*)</Code>", text)
    return found[1] if found else ""
