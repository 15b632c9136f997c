"""Secrets and signatures: verified by the specification's own library, and by its words."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Official
from standardwebhooks import WebhookVerificationError

from shared.errors import Unavailable
from shared.routes import Webhook
from shared.settings import Settings
from shared.webhooks import signing
from tests.receivers import KEY, SECRET

OLD_KEY = bytes(range(100, 124))
OLD = "whsec_" + base64.b64encode(OLD_KEY).decode()
BODY = '{"name":"ünï.pdf"}'.encode()
WEBHOOK = Webhook("orders", "https://orders.test/", "secret-manager:orders")
BY_VARIABLE = replace(WEBHOOK, secret="env:SLUICE_SECRET_ORDERS")


def now() -> float:
    return datetime.now(UTC).timestamp()


def by_hand(key: bytes, event: str, timestamp: str, body: bytes) -> str:
    """The signature in the words of the specification: HMAC-SHA256 over `id.timestamp.body`, in base64 after `v1,`."""
    made = hmac.digest(key, event.encode() + b"." + timestamp.encode() + b"." + body, hashlib.sha256)
    return "v1," + base64.b64encode(made).decode()


@pytest.fixture
def mounted(settings: Settings, tmp_path: Path) -> Settings:
    """Settings whose folder of secrets has that of the webhook."""
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "value").write_text(SECRET)
    return replace(settings, webhook_secrets=tmp_path)


def test_the_vector_of_the_specifications_library() -> None:
    """From its own tests: standard-webhooks, libraries/python/tests/test_webhooks.py."""
    made = signing.headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], 1614265330
    )

    assert made == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_official_library_verifies_a_signature() -> None:
    made = signing.headers("job-1", BODY, [SECRET], now())

    assert Official(SECRET).verify(BODY, made) == json.loads(BODY)


def test_a_signature_is_that_of_the_specification() -> None:
    made = signing.headers("job-1", BODY, [SECRET], 1_795_852_017.9)

    assert made["webhook-timestamp"] == "1795852017"
    assert made["webhook-signature"] == by_hand(KEY, "job-1", "1795852017", BODY)


def test_both_keys_sign_while_the_secret_rotates() -> None:
    made = signing.headers("job-1", BODY, [SECRET, OLD], now())
    new, old = made["webhook-signature"].split(" ")

    assert new == by_hand(KEY, "job-1", made["webhook-timestamp"], BODY)
    assert old == by_hand(OLD_KEY, "job-1", made["webhook-timestamp"], BODY)
    for secret in (SECRET, OLD):
        Official(secret).verify(BODY, made)


@pytest.mark.parametrize(
    "changed",
    [{"webhook-id": "job-2"}, {"webhook-timestamp": "{later}"}, {"webhook-signature": "v1,AAAA"}],
)
def test_a_changed_header_is_found_out(changed: dict[str, str]) -> None:
    made = signing.headers("job-1", BODY, [SECRET], now())
    later = str(int(made["webhook-timestamp"]) + 1)
    forged = made | {name: value.format(later=later) for name, value in changed.items()}

    with pytest.raises(WebhookVerificationError):
        Official(SECRET).verify(BODY, forged)


def test_a_secret_is_read_anew_at_each_attempt(mounted: Settings) -> None:
    path = mounted.webhook_secrets / "orders" / "value"

    assert signing.keys(WEBHOOK, mounted) == [SECRET]
    path.write_text(f"{OLD}\n{SECRET}\n")
    assert signing.keys(WEBHOOK, mounted) == [OLD, SECRET]


def test_a_secret_may_be_in_a_variable(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_SECRET_ORDERS", f" {SECRET} {OLD}")

    assert signing.keys(BY_VARIABLE, settings) == [SECRET, OLD]


def test_a_variable_that_is_not_set_is_named(settings: Settings) -> None:
    with pytest.raises(
        Unavailable,
        match=r"^the secret of webhook orders, the variable SLUICE_SECRET_ORDERS, is missing or empty; write one or two keys: ",
    ):
        signing.keys(BY_VARIABLE, settings)


def test_a_file_that_is_missing_is_named(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=f"the file {tmp_path}/orders/value, is missing or empty"):
        signing.keys(WEBHOOK, replace(settings, webhook_secrets=tmp_path))


def whsec(size: int) -> str:
    return "whsec_" + base64.b64encode(bytes(size)).decode()


@pytest.mark.parametrize("size", [24, 64])
def test_a_key_has_24_to_64_bytes(mounted: Settings, size: int) -> None:
    (mounted.webhook_secrets / "orders" / "value").write_text(whsec(size))

    assert signing.keys(WEBHOOK, mounted) == [whsec(size)]


@pytest.mark.parametrize(
    "text",
    [
        "hunter2hunter2",
        whsec(23),
        whsec(65),
        SECRET.removeprefix("whsec_"),
        "whsec_" + "!" * 40,
        "whsec_" + "é" * 40,
        f"{SECRET} {OLD} {SECRET}",
        f"{SECRET} nonsense",
        f"{SECRET},{OLD}",
    ],
    ids=["no prefix", "short", "long", "base64 alone", "no base64", "no ascii", "three", "one wrong", "comma"],
)
def test_a_wrong_secret_is_refused_and_never_shown(mounted: Settings, text: str) -> None:
    (mounted.webhook_secrets / "orders" / "value").write_text(text)

    with pytest.raises(Unavailable, match=r"write one or two keys: whsec_ and the base64 of 24 to 64 bytes$") as refused:
        signing.keys(WEBHOOK, mounted)
    assert not any(part in refused.value.message for part in text.replace(",", " ").split())
