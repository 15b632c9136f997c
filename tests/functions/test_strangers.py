"""A stranger's tries to find, block or replace others' files, or to be taken for someone else: all fail."""

import base64
import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from http.client import HTTPResponse
from typing import Any

import pytest
from werkzeug.serving import make_server

from localcloud.accounts import Accounts
from shared.testing import FakeCloud
from tests.functions.calls import KEY, Load

UPLOAD, ISSUER = "https://upload.test", "https://issuer.test"
WORDS = b"only the owner's words"
ASKED = json.dumps({"name": "plan.txt", "content_type": "text/plain"}).encode()
#: Names of an object that follow from the key alone, as the public source would make them without a secret.
GUESSES = [
    f"{base64.b32encode(hashlib.sha256(seed).digest()).decode().lower()[:26]}/plan.txt"
    for seed in (b"order-4711", b"order-4711\x000", b"order-47110", f"{KEY}\x000".encode(), f"{KEY}0".encode())
]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    json: Any


Wire = Callable[..., Answer]


@pytest.fixture
def wire(client: Load) -> Iterator[Wire]:
    """The bytes of a request sent to a service over a socket: the request line, header lines, the body."""
    running: dict[str, Any] = {}

    def send(service: str, line: str, *headers: str, body: bytes = b"") -> Answer:
        if service not in running:
            running[service] = make_server("127.0.0.1", 0, client(service).application, threaded=True)
            threading.Thread(target=running[service].serve_forever, args=(0.01,), daemon=True).start()
        host = [] if any(header.lower().startswith("host:") for header in headers) else ["Host: door.test"]
        length = [f"Content-Length: {len(body)}"] if body else []
        head = "\r\n".join([f"{line} HTTP/1.1", *host, *headers, *length, "Connection: close", "", ""])
        with socket.create_connection(("127.0.0.1", running[service].server_port), timeout=30) as connection:
            connection.sendall(head.encode("latin-1") + body)
            with closing(HTTPResponse(connection)) as answer:
                answer.begin()
                text = answer.read()
                return Answer(answer.status, dict(answer.getheaders()), json.loads(text) if text else None)

    yield send
    for server in running.values():
        server.shutdown()
        server.server_close()


@pytest.fixture
def owner(wire: Wire, accounts: Accounts) -> dict[str, Any]:
    """The receipt of a verified caller's file, sent with a key that anyone could guess."""
    token = accounts.id_token("owner@example.com", UPLOAD)
    answer = wire("upload", "PUT /plan.txt", f"Authorization: Bearer {token}", "Idempotency-Key: order-4711", body=WORDS)
    assert answer.status == 202
    receipt: dict[str, Any] = answer.json
    return receipt


def only(cloud: FakeCloud) -> str:
    """The one object that was stored in the end."""
    (name,) = cloud.uploads.versions
    return name


def test_1_a_guessed_key_neither_finds_nor_blocks_the_owners_file(wire: Wire, owner: dict[str, Any], cloud: FakeCloud) -> None:
    for key in ("order-4711", '"order-4711"', "order-4711 ", "ORDER-4711"):
        for answer in (
            wire("upload", "PUT /plan.txt", f"Idempotency-Key: {key}", body=WORDS),
            wire("issuer", "POST /", f"Idempotency-Key: {key}", body=ASKED),
        ):
            assert (answer.status, answer.json["error"]) == (400, "weak_key")
            assert owner["object"] not in json.dumps(answer.json)
    for name in GUESSES:
        assert wire("status", f"GET /objects/{name}").status == 404
    assert only(cloud) == owner["object"]


def test_2_anothers_key_is_a_key_of_ones_own(wire: Wire, owner: dict[str, Any], accounts: Accounts, cloud: FakeCloud) -> None:
    token = accounts.id_token("eve@example.com", UPLOAD)
    mine = wire("upload", "PUT /plan.txt", f"Authorization: Bearer {token}", "Idempotency-Key: order-4711", body=b"other words")

    assert (mine.status, mine.json["object"] != owner["object"]) == (202, True)
    assert cloud.uploads.read(owner["object"]) == WORDS


def test_3_a_key_that_a_stranger_took_first_is_free_for_its_owner(wire: Wire, accounts: Accounts, cloud: FakeCloud) -> None:
    taken = wire("upload", "PUT /plan.txt", f"Idempotency-Key: {KEY}", body=b"other words")
    token = accounts.id_token("owner@example.com", UPLOAD)
    owned = wire("upload", "PUT /plan.txt", f"Authorization: Bearer {token}", f"Idempotency-Key: {KEY}", body=WORDS)

    assert (taken.status, owned.status) == (202, 202)
    assert cloud.uploads.read(owned.json["object"]) == WORDS


def unsigned(claims: dict[str, Any]) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "none"}, claims)]
    return f"{'.'.join(parts)}.SIGNATURE_REMOVED_BY_GOOGLE"


def test_4_a_forged_token_is_no_identity(wire: Wire, owner: dict[str, Any], accounts: Accounts, cloud: FakeCloud) -> None:
    claims = {"iss": "https://accounts.google.com", "aud": UPLOAD, "sub": "owner@example.com", "email": "owner@example.com"}
    elsewhere, own = (
        accounts.id_token(email, url) for email, url in (("owner@example.com", ISSUER), ("eve@example.com", UPLOAD))
    )
    forged = unsigned(claims | {"email_verified": True, "iat": 1, "exp": 1 << 33})
    tries = [
        [f"Authorization: Bearer {forged}"],
        [f"Authorization: bearer {forged}", f"X-Serverless-Authorization: Bearer {own}"],
        [f"Authorization: Bearer {own}", f"Authorization: Bearer {forged}"],
        [f"X-Serverless-Authorization: Bearer {forged}"],
        [f"Authorization: Bearer {elsewhere}"],
        [f"Authorization: Bearer {own}x"],
        ["Authorization: Basic b3duZXI6"],
    ]

    for headers in tries:
        answer = wire("upload", "PUT /plan.txt", *headers, "Idempotency-Key: order-4711", body=WORDS)
        assert (answer.status, answer.json["error"]) == (401, "unauthorized"), headers
        assert owner["object"] not in json.dumps(answer.json)
    assert only(cloud) == owner["object"]


@pytest.mark.parametrize(
    "header",
    [
        "X-Goog-Authenticated-User-Email: accounts.google.com:owner@example.com",
        "X-Goog-Authenticated-User-ID: accounts.google.com:owner@example.com",
        f"X-Goog-Iap-Jwt-Assertion: {unsigned({'sub': 'owner@example.com'})}",
        "X-Apigateway-Api-Userinfo: eyJzdWIiOiJvd25lckBleGFtcGxlLmNvbSJ9",
        f"X-Forwarded-Authorization: Bearer {unsigned({'sub': 'owner@example.com'})}",
        f"X_Serverless_Authorization: Bearer {unsigned({'sub': 'owner@example.com'})}",
        "X-Forwarded-User: owner@example.com",
        "Cookie: session=owner@example.com",
    ],
    ids=lambda header: header.partition(":")[0],
)
def test_5_no_other_header_names_a_caller(wire: Wire, owner: dict[str, Any], cloud: FakeCloud, header: str) -> None:
    for line in ("PUT /plan.txt", "POST /plan.txt"):
        answer = wire("upload", line, header, "Idempotency-Key: order-4711", body=WORDS)
        assert (answer.status, answer.json["error"]) == (400, "weak_key")
    assert only(cloud) == owner["object"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://app.example.evil.example", "http://app.example"])
def test_6_a_page_of_another_site_reads_nothing(wire: Wire, cloud: FakeCloud, origin: str) -> None:
    cloud.settings = replace(cloud.settings, origins=("https://app.example",))
    asked = [f"Origin: {origin}", "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: authorization"]

    for service, path in (("upload", "/"), ("issuer", "/"), ("status", "/objects/a")):
        assert wire(service, f"OPTIONS {path}", *asked).status == 403
        answers = [wire(service, f"GET {path}", f"Origin: {origin}"), wire(service, f"OPTIONS {path}", *asked)]
        assert not [name for answer in answers for name in answer.headers if name.lower().startswith("access-control-allow")]


@pytest.mark.parametrize("key", ["sluice-hops", "SLUICE-HOPS", "Sluice-Parent", "sluice-member"])
def test_7_only_the_pipeline_marks_a_file_as_made_from_another(wire: Wire, cloud: FakeCloud, key: str) -> None:
    part = f'--x\r\nContent-Disposition: form-data; name="x-goog-meta-{key}"\r\n\r\n1\r\n'
    form = f'{part}--x\r\nContent-Disposition: form-data; name=f; filename="a.txt"\r\n\r\nwords\r\n--x--\r\n'.encode()
    asked = json.dumps({"name": "a.txt", "content_type": "text/plain", "metadata": {key: "1"}}).encode()
    answers = [
        wire("upload", "PUT /a.txt", f"x-goog-meta-{key}: 1", body=WORDS),
        wire("upload", "POST /", "Content-Type: multipart/form-data; boundary=x", body=form),
        wire("issuer", "POST /", body=asked),
        wire("issuer", f"GET /?name=a.txt&content_type=text/plain&X-Goog-Meta-{key}=1"),
        wire("issuer", f"GET /?name=a.txt&content_type=text/plain&x-goog-meta-{key.replace('-', '%2D')}=1"),
    ]

    assert [(answer.status, answer.json["error"]) for answer in answers] == [(400, "reserved_metadata")] * 5
    assert cloud.uploads.versions == {}


@pytest.mark.parametrize(
    "header",
    [
        *(
            "Host: evil.example",
            "Host: status.test@evil.example",
            "X-Forwarded-Host: evil.example",
            "Forwarded: host=evil.example",
        ),
        *("X-Original-URL: /evil.txt", "X-Rewrite-URL: /evil.txt", "X-Forwarded-Prefix: /evil", "X-Forwarded-Proto: evil"),
        *("X-Forwarded-For: 127.0.0.1", "X-CloudTasks-QueueName: images"),
        *("X-CloudTasks-TaskRetryCount: 99", "X-CloudTasks-TaskName: t", "X-AppEngine-QueueName: images"),
    ],
)
def test_8_no_header_moves_a_link_or_a_name(wire: Wire, cloud: FakeCloud, header: str) -> None:
    receipt = wire("upload", "PUT /plan.txt", header, body=WORDS)
    ticket = wire("issuer", "POST /", header, body=ASKED)
    state = wire("status", f"GET /objects/{receipt.json['object']}", header)

    assert (receipt.status, ticket.status, state.status) == (202, 200, 200)
    for answer in (receipt, ticket):
        assert answer.json["status_url"] == f"https://status.test/objects/{answer.json['object']}"
        assert answer.json["object"].endswith("/plan.txt")
    assert "evil" not in json.dumps([receipt.json, ticket.json, state.json])
    assert only(cloud) == receipt.json["object"]


@pytest.mark.failure("T56")
def test_9_a_queues_headers_open_no_processor(wire: Wire) -> None:
    queue = ["X-CloudTasks-QueueName: images", "X-CloudTasks-TaskName: t", "X-CloudTasks-TaskRetryCount: 0"]
    user = ["User-Agent: Google-Cloud-Tasks", "X-Forwarded-For: 127.0.0.1"]

    for service, path in (("processor", "/"), ("dispatcher", "/projects/local-project/topics/uploads")):
        answer = wire(service, f"POST {path}", *queue, *user, "Content-Type: application/json", body=b"{}")
        assert (answer.status, answer.json["error"]) == (401, "unauthorized")


def test_10_no_name_leads_out_of_its_own_folder(wire: Wire, owner: dict[str, Any], cloud: FakeCloud) -> None:
    victim = owner["object"]
    folder = victim.partition("/")[0]
    paths = [
        victim,
        f"../{victim}",
        f"%2e%2e/{victim}",
        f"..%2f{victim}",
        f"..\\{victim}",
        f"{folder}%5cplan.txt",
        f"/{victim}",
    ]
    sent = [wire("upload", f"PUT /{path}", body=b"other words") for path in [*paths, f"a/../{victim}", f"{folder}//plan.txt"]]
    signed = [
        wire("issuer", "POST /", body=json.dumps({"name": name, "content_type": "text/plain"}).encode())
        for name in (victim, f"../{victim}", f"..\\{victim}", f"{folder}/plan.txt", f"/uploads/{victim}")
    ]

    names = [answer.json["object"] for answer in [*sent, *signed]]
    assert {name.partition("/")[2] for name in names} == {"plan.txt"}
    assert folder not in {name.partition("/")[0] for name in names}
    assert cloud.uploads.read(victim) == WORDS
    assert not any("/results/" in answer.json["url"] for answer in signed)


def test_11_no_answer_holds_a_secret(wire: Wire, accounts: Accounts, cloud: FakeCloud) -> None:
    token = accounts.id_token("owner@example.com", UPLOAD)
    credentials = [f"Authorization: Bearer {token}", f"Idempotency-Key: {KEY}"]
    answers = [
        wire("upload", "PUT /plan.txt", *credentials, body=WORDS),
        wire("upload", "PUT /plan.txt", *credentials, body=b"other words"),
        wire("upload", "PUT /plan.txt", f"Authorization: Bearer {token}x", f"Idempotency-Key: {KEY}", body=WORDS),
        wire("issuer", "POST /", f"Idempotency-Key: {'k' * 300}", body=ASKED),
    ]

    assert [answer.status for answer in answers] == [202, 409, 401, 400]
    for answer in answers:
        text = json.dumps([answer.json, answer.headers])
        assert not any(secret in text for secret in (cloud.settings.key_secret, token, KEY, "k" * 300))
