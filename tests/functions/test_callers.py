"""Idempotency keys and the callers that send them, at both doors that take keys."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from werkzeug.test import TestResponse

from localcloud.accounts import Accounts
from localcloud.clock import SystemClock
from shared.errors import Unavailable
from shared.identity import Certificates
from shared.testing import FakeCloud
from tests.conftest import ISSUER
from tests.functions.calls import KEY, Load, refused

Send = Callable[[str, Mapping[str, str]], TestResponse]
DOORS = ["upload", "issuer"]


@pytest.fixture
def send(client: Load, photo: bytes) -> Send:
    """A request for one file to a door, with these headers."""

    def to(door: str, headers: Mapping[str, str]) -> TestResponse:
        if door == "upload":
            return client(door).put("/photo.jpg", data=photo, headers=headers)
        return client(door).post("/", json={"name": "photo.jpg", "content_type": "image/jpeg"}, headers=headers)

    return to


def sent_by(token: str, key: str = "order-4711") -> dict[str, str]:
    return {"authorization": f"Bearer {token}", "idempotency-key": key}


def stripped(**claims: object) -> str:
    """A token as Cloud Run passes it on: with its claims, without its signature."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "RS256"}, claims)]
    return ".".join([*parts, "SIGNATURE_REMOVED_BY_GOOGLE"])


def name(answer: TestResponse) -> str:
    assert answer.status_code in (200, 202), answer.text
    return str((answer.json or {})["object"])


@pytest.mark.parametrize("door", DOORS)
def test_on_an_open_door_a_verified_account_has_keys_of_its_own(send: Send, accounts: Accounts, door: str) -> None:
    ann, bob = (accounts.id_token(email, f"https://{door}.test") for email in ("ann@example.com", "bob@example.com"))
    names = [name(send(door, sent_by(token, KEY))) for token in (ann, bob, ann)] + [name(send(door, {"idempotency-key": KEY}))]

    assert names[0] == names[2]
    assert len({*names}) == 3
    assert name(send(door, sent_by(ann)))


@pytest.mark.parametrize("door", DOORS)
def test_a_token_that_does_not_pass_is_no_identity(
    send: Send, accounts: Accounts, cloud: FakeCloud, door: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = Accounts(tmp_path_factory.mktemp("stranger"), "local-project", ISSUER, SystemClock())
    audience = f"https://{door}.test"
    good = accounts.id_token("ann@example.com", audience)
    forged = [
        stranger.id_token("ann@example.com", audience),
        accounts.id_token("ann@example.com", "https://dispatcher.test"),
        accounts.id_token("ann@example.com", "https://upload.test" if door == "issuer" else "https://issuer.test"),
        stripped(iss=ISSUER, aud=audience, sub="ann@example.com", email="ann@example.com", email_verified=True),
        good[:-4] + "AAAA",
        "garbage",
    ]

    for token in forged:
        message = refused(send(door, sent_by(token)), 401, "unauthorized")
        assert message.endswith(f"; send an identity token for {audience}, or no token")
        refused(send(door, sent_by(token, KEY)), 401, "unauthorized")
        refused(send(door, {"x-serverless-authorization": f"Bearer {token}", "idempotency-key": KEY}), 401, "unauthorized")
    refused(send(door, sent_by(good) | {"x-serverless-authorization": "Bearer x"}), 401, "unauthorized")
    refused(send(door, {"authorization": "Basic YTpi", "idempotency-key": KEY}), 401, "unauthorized")
    assert cloud.uploads.versions == {}


@pytest.mark.parametrize("door", DOORS)
def test_without_a_key_no_token_is_read(send: Send, door: str) -> None:
    assert name(send(door, {"authorization": "Bearer garbage"}))


@pytest.mark.parametrize("door", DOORS)
def test_behind_cloud_runs_check_its_token_names_the_caller(send: Send, cloud: FakeCloud, door: str) -> None:
    cloud.settings = replace(cloud.settings, callers="verified")
    tokens = [stripped(iss=ISSUER, sub=sub) for sub in ("1041", "1042", "1041")]
    names = [name(send(door, sent_by(token))) for token in tokens]

    assert names[0] == names[2] != names[1]
    serverless = {"x-serverless-authorization": f"Bearer {tokens[0]}", "idempotency-key": "order-4711"}
    assert name(send(door, serverless)) == names[0]


@pytest.mark.parametrize("door", DOORS)
def test_behind_cloud_runs_check_a_second_token_is_no_identity(send: Send, cloud: FakeCloud, door: str) -> None:
    """Cloud Run checks one of two and passes the other one on as its caller wrote it."""
    cloud.settings = replace(cloud.settings, callers="verified")
    two = {"x-serverless-authorization": f"Bearer {stripped(sub='1042')}"}

    refused(send(door, sent_by(stripped(sub="1041")) | two), 400, "weak_key")
    assert name(send(door, sent_by(stripped(sub="1041"), KEY) | two)) != name(send(door, sent_by(stripped(sub="1041"), KEY)))


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("token", ["ya29.access-token", "a.b.c", stripped(sub=""), stripped(sub=7), stripped(email="a@b.c")])
def test_behind_cloud_runs_check_a_token_without_an_account_is_refused(
    send: Send, cloud: FakeCloud, door: str, token: str
) -> None:
    cloud.settings = replace(cloud.settings, callers="verified")

    refused(send(door, sent_by(token)), 401, "unauthorized")


@pytest.mark.parametrize("door", DOORS)
def test_a_gateway_is_no_identity_of_its_callers(send: Send, cloud: FakeCloud, door: str) -> None:
    """It sends its own token for all its callers."""
    cloud.settings = replace(cloud.settings, callers="shared")

    refused(send(door, sent_by(stripped(sub="gateway"))), 400, "weak_key")
    assert name(send(door, sent_by(stripped(sub="gateway"), KEY))) == name(send(door, {"idempotency-key": KEY}))


@pytest.mark.parametrize("door", DOORS)
def test_a_strangers_key_must_not_be_guessable(send: Send, cloud: FakeCloud, door: str) -> None:
    assert "uuidgen" in refused(send(door, {"idempotency-key": "order-4711"}), 400, "weak_key")
    refused(send(door, {"idempotency-key": ""}), 400, "bad_key")
    assert cloud.uploads.versions == {}


def test_both_doors_lead_a_key_to_one_object(send: Send) -> None:
    names = {name(send(door, {"idempotency-key": KEY})) for door in DOORS}

    assert len(names) == 1


def test_another_secret_leads_to_other_names(send: Send, cloud: FakeCloud) -> None:
    first = name(send("issuer", {"idempotency-key": KEY}))
    cloud.settings = replace(cloud.settings, key_secret="another secret of at least 32 characters")

    assert name(send("issuer", {"idempotency-key": KEY})) != first


def test_without_the_issuers_certificates_a_repeat_must_wait(send: Send, cloud: FakeCloud, accounts: Accounts) -> None:
    def down() -> Mapping[str, str]:
        raise Unavailable("down")

    cloud.certificates = Certificates(down)

    refused(send("upload", sent_by(accounts.id_token("ann@example.com", "https://upload.test"))), 503, "unavailable")
