"""Of all the tokens in the world, one kind opens the door."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from google.auth import crypt, jwt

from localcloud.accounts import Accounts
from localcloud.clock import SystemClock
from shared import identity
from shared.errors import Forbidden, PipelineError, Unauthorized, Unavailable
from shared.identity import KEEP_SECONDS, LOOK_AGAIN_SECONDS, Certificates

ISSUER = "https://accounts.google.com"
URL = "https://processor.test"
EMAIL = "tasks@local-project.iam.gserviceaccount.com"
Sign = Callable[..., str]


def signer_of(accounts: Accounts) -> crypt.RSASigner:
    """The issuer's own key."""
    signer: crypt.RSASigner = crypt.RSASigner.from_service_account_file(str(accounts.key_file("issuer-key")))
    return signer


@pytest.fixture(scope="module")
def signer(accounts: Accounts) -> crypt.RSASigner:
    accounts.certificates()
    return signer_of(accounts)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Accounts:
    """Somebody who signs as well as Google, with a key of their own."""
    return Accounts(tmp_path_factory.mktemp("stranger"), "local-project", ISSUER, SystemClock())


def claims(**changed: Any) -> dict[str, Any]:
    """What a right token says, but for what is changed; `iat` and `exp` are given in seconds from now."""
    now = int(time.time())
    changed |= {name: now + changed[name] for name in ("iat", "exp") if isinstance(changed.get(name), int)}
    right = {"iss": ISSUER, "aud": URL, "email": EMAIL, "email_verified": True, "sub": "1", "iat": now, "exp": now + 3600}
    return {name: value for name, value in (right | changed).items() if value is not None}


@pytest.fixture
def sign(signer: crypt.RSASigner) -> Sign:
    """A token that is right but for what is changed."""
    return lambda **changed: str(jwt.encode(signer, claims(**changed)), "ascii")


def by_hand(header: Mapping[str, Any] | list[Any], body: Mapping[str, Any], mac: Callable[[bytes], bytes]) -> str:
    signed = b".".join(_base64(json.dumps(part).encode()) for part in (header, body))
    return (signed + b"." + _base64(mac(signed))).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def verify(token: str, certificates: Certificates, audience: str = URL, email: str = EMAIL) -> None:
    identity.verify(token, certificates, issuer=ISSUER, audience=audience, email=email)


@pytest.fixture
def certificates(accounts: Accounts) -> Certificates:
    return Certificates(accounts.certificates)


# ---- tokens


def test_the_right_token_is_accepted(accounts: Accounts, certificates: Certificates) -> None:
    verify(accounts.id_token(EMAIL, URL), certificates)


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "accounts.google.com"},
        {"exp": -30},
        {"iat": 30},
        {"aud": URL, "azp": "somebody"},
    ],
    ids=["Google's other name", "expired within the skew", "clock ahead within the skew", "more claims"],
)
def test_what_google_may_write_otherwise_is_accepted(sign: Sign, certificates: Certificates, changed: dict[str, Any]) -> None:
    verify(sign(**changed), certificates)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"iss": "https://accounts.example.com"}, Unauthorized),
        ({"iss": "http://accounts.google.com"}, Unauthorized),
        ({"iss": None}, Unauthorized),
        ({"iss": [ISSUER]}, Unauthorized),
        ({"aud": "https://dispatcher.test"}, Unauthorized),
        ({"aud": URL + "/"}, Unauthorized),
        ({"aud": URL.upper()}, Unauthorized),
        ({"aud": None}, Unauthorized),
        ({"aud": [URL]}, Unauthorized),
        ({"exp": -3600}, Unauthorized),
        ({"iat": -3600, "exp": -70}, Unauthorized),
        ({"exp": None}, Unauthorized),
        ({"exp": "tomorrow"}, Unauthorized),
        ({"iat": 3600, "exp": 7200}, Unauthorized),
        ({"iat": 70, "exp": 7200}, Unauthorized),
        ({"iat": None}, Unauthorized),
        ({"email": "push@local-project.iam.gserviceaccount.com"}, Forbidden),
        ({"email": EMAIL.upper()}, Forbidden),
        ({"email": None}, Forbidden),
        ({"email": [EMAIL]}, Forbidden),
        ({"email_verified": False}, Forbidden),
        ({"email_verified": "true"}, Forbidden),
        ({"email_verified": 1}, Forbidden),
        ({"email_verified": None}, Forbidden),
    ],
    ids=str,
)
def test_one_wrong_claim_is_enough(
    sign: Sign, certificates: Certificates, changed: dict[str, Any], error: type[PipelineError]
) -> None:
    with pytest.raises(error) as refused:
        verify(sign(**changed), certificates)

    assert type(refused.value) is error


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "garbage", "e30.e30.e30", "é.é.é", "W10.W10.", "bnVsbA.e30.", "." * 50]
)
def test_garbage_proves_nothing(certificates: Certificates, token: str) -> None:
    with pytest.raises(Unauthorized):
        verify(token, certificates)


def test_a_header_as_deep_as_a_well_is_garbage_too(certificates: Certificates) -> None:
    with pytest.raises(Unauthorized):
        verify(f"{_base64(b'[' * 100_000).decode()}.e30.e30", certificates)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, "HS256", "ES256", "RS512", ["RS256"]])
def test_an_unsigned_token_proves_nothing(accounts: Accounts, certificates: Certificates, algorithm: Any) -> None:
    (key_id,) = accounts.certificates()

    with pytest.raises(Unauthorized):
        verify(by_hand({"alg": algorithm, "kid": key_id, "typ": "JWT"}, claims(), lambda _signed: b""), certificates)


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
def test_a_public_certificate_is_nobodys_secret(accounts: Accounts, certificates: Certificates, algorithm: str) -> None:
    ((key_id, certificate),) = accounts.certificates().items()

    def mac(signed: bytes) -> bytes:
        return hmac.new(certificate.encode(), signed, hashlib.sha256).digest()

    with pytest.raises(Unauthorized):
        verify(by_hand({"alg": algorithm, "kid": key_id}, claims(), mac), certificates)


def test_a_changed_token_proves_nothing(sign: Sign, certificates: Certificates) -> None:
    header, _body, signature = sign(email="push@local-project.iam.gserviceaccount.com").split(".")
    forged = _base64(json.dumps(claims()).encode()).decode()

    with pytest.raises(Unauthorized):
        verify(f"{header}.{forged}.{signature}", certificates)


def test_a_token_signed_by_another_key_proves_nothing(
    accounts: Accounts, certificates: Certificates, stranger: Accounts
) -> None:
    (key_id,) = accounts.certificates()
    stranger.certificates()
    other = signer_of(stranger)

    with pytest.raises(Unauthorized):
        verify(stranger.id_token(EMAIL, URL), certificates)
    with pytest.raises(Unauthorized):
        verify(jwt.encode(other, claims(), key_id=key_id).decode(), certificates)


def test_a_token_without_a_key_id_proves_nothing(signer: crypt.RSASigner, certificates: Certificates) -> None:
    with pytest.raises(Unauthorized):
        verify(by_hand({"alg": "RS256"}, claims(), signer.sign), certificates)


@pytest.mark.parametrize(("audience", "email"), [("", EMAIL), (URL, ""), ("", "")])
def test_a_service_that_was_not_told_its_caller_lets_nobody_in(
    accounts: Accounts, certificates: Certificates, audience: str, email: str
) -> None:
    with pytest.raises(Forbidden):
        verify(accounts.id_token(email, audience), certificates, audience, email)


def test_what_is_refused_is_never_repeated(sign: Sign, certificates: Certificates) -> None:
    token = sign(email="eve@example.com")

    with pytest.raises(Forbidden) as refused:
        verify(token, certificates)
    assert "eve" not in refused.value.message
    assert token not in refused.value.message


# ---- certificates


class Issuer:
    """Answers with its keys, counts how often it was asked, and can be down."""

    def __init__(self) -> None:
        self.keys = {"k1": "certificate 1"}
        self.asked = 0
        self.is_down = False
        self.seconds = 1000.0

    def __call__(self) -> Mapping[str, str]:
        self.asked += 1
        if self.is_down:
            raise Unavailable("down")
        return dict(self.keys)


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def known(issuer: Issuer) -> Certificates:
    return Certificates(issuer, lambda: issuer.seconds)


def test_certificates_are_fetched_once_when_first_needed(issuer: Issuer, known: Certificates) -> None:
    assert issuer.asked == 0

    assert [known.of("k1") for _ in range(3)] == ["certificate 1"] * 3
    assert issuer.asked == 1


def test_certificates_are_fetched_again_after_their_time(issuer: Issuer, known: Certificates) -> None:
    known.of("k1")
    issuer.keys = {"k2": "certificate 2"}
    issuer.seconds += KEEP_SECONDS
    assert known.of("k1") == "certificate 1"

    issuer.seconds += 1
    with pytest.raises(Unauthorized):
        known.of("k1")


def test_a_new_key_is_looked_for_at_once_and_then_only_now_and_again(issuer: Issuer, known: Certificates) -> None:
    known.of("k1")
    issuer.keys["k2"] = "certificate 2"

    with pytest.raises(Unauthorized):
        known.of("k2")
    assert issuer.asked == 1

    issuer.seconds += LOOK_AGAIN_SECONDS + 1
    assert known.of("k2") == "certificate 2"
    assert issuer.asked == 2


def test_strangers_tokens_do_not_make_us_ask_each_time(issuer: Issuer, known: Certificates) -> None:
    for number in range(100):
        with pytest.raises(Unauthorized):
            known.of(f"stranger-{number}")

    assert issuer.asked == 1


def test_without_certificates_nobody_is_let_in(issuer: Issuer, known: Certificates, sign: Sign) -> None:
    issuer.is_down = True

    with pytest.raises(Unavailable):
        verify(sign(), known)


def test_known_certificates_last_while_their_issuer_is_down_and_no_longer(issuer: Issuer, known: Certificates) -> None:
    known.of("k1")
    issuer.is_down = True
    issuer.seconds += KEEP_SECONDS
    assert known.of("k1") == "certificate 1"

    issuer.seconds += 1
    with pytest.raises(Unavailable):
        known.of("k1")


def test_strangers_tokens_do_not_make_us_wait_for_an_issuer_that_is_down(issuer: Issuer, known: Certificates) -> None:
    known.of("k1")
    issuer.is_down = True
    issuer.seconds += LOOK_AGAIN_SECONDS + 1

    for number in range(100):
        with pytest.raises((Unauthorized, Unavailable)):
            known.of(f"stranger-{number}")
    assert issuer.asked == 2
    assert known.of("k1") == "certificate 1"


def test_an_issuer_that_recovers_is_believed_at_once(issuer: Issuer, known: Certificates) -> None:
    issuer.is_down = True
    with pytest.raises(Unavailable):
        known.of("k1")
    issuer.is_down = False

    assert known.of("k1") == "certificate 1"


def test_certificates_are_read_from_where_the_settings_say(tmp_path: Path) -> None:
    path = tmp_path / "certs.json"
    path.write_text('{"k1": "certificate 1"}')

    assert identity.fetch(path.as_uri()) == {"k1": "certificate 1"}


@pytest.mark.parametrize("answer", ["", "<html>", "[]", "null", '"k1"'])
def test_an_answer_that_is_no_list_of_certificates_lets_nobody_in(tmp_path: Path, answer: str) -> None:
    path = tmp_path / "certs.json"
    path.write_text(answer)

    with pytest.raises(Unavailable):
        identity.fetch(path.as_uri())


def test_an_issuer_that_cannot_be_reached_lets_nobody_in(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        identity.fetch((tmp_path / "nothing.json").as_uri())
