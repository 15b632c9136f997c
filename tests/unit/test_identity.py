"""Only a valid token of the right issuer, audience and account is accepted."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import pytest
from google.auth import crypt, jwt

from localcloud.accounts import Accounts
from localcloud.clock import SystemClock
from shared import identity
from shared.errors import Forbidden, PipelineError, Unauthorized, Unavailable
from shared.identity import KEEP_SECONDS, MAX_ACCEPTED, SKEW_SECONDS, Accepted, Certificates

ISSUER = "https://accounts.google.com"
URL = "https://processor.test"
EMAIL = "tasks@local-project.iam.gserviceaccount.com"
Sign = Callable[..., str]


def signer_of(accounts: Accounts) -> crypt.RSASigner:
    """The key of the issuer."""
    signer: crypt.RSASigner = crypt.RSASigner.from_service_account_file(str(accounts.key_file("issuer-key")))
    return signer


@pytest.fixture(scope="module")
def signer(accounts: Accounts) -> crypt.RSASigner:
    accounts.certificates()
    return signer_of(accounts)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Accounts:
    """Another issuer, with a key of its own."""
    return Accounts(tmp_path_factory.mktemp("stranger"), "local-project", ISSUER, SystemClock())


def claims(**changed: Any) -> dict[str, Any]:
    """The claims of a right token, with changes; `iat` and `exp` are in seconds from now."""
    now = int(time.time())
    changed |= {name: now + changed[name] for name in ("iat", "exp") if isinstance(changed.get(name), int)}
    right = {"iss": ISSUER, "aud": URL, "email": EMAIL, "email_verified": True, "sub": "1", "iat": now, "exp": now + 3600}
    return {name: value for name, value in (right | changed).items() if value is not None}


@pytest.fixture
def sign(signer: crypt.RSASigner) -> Sign:
    """A right token, with changed claims."""
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


def test_the_right_token_is_accepted(accounts: Accounts, certificates: Certificates) -> None:
    verify(accounts.id_token(EMAIL, URL), certificates)


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "accounts.google.com"},
        {"exp": -30},
        {"iat": 30},
        {"aud": URL, "azp": "another"},
    ],
    ids=["Google's other name", "expired within the skew", "clock ahead within the skew", "more claims"],
)
def test_variations_of_google_are_accepted(sign: Sign, certificates: Certificates, changed: dict[str, Any]) -> None:
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
def test_garbage_is_refused(certificates: Certificates, token: str) -> None:
    with pytest.raises(Unauthorized):
        verify(token, certificates)


def test_a_deeply_nested_header_is_refused(certificates: Certificates) -> None:
    with pytest.raises(Unauthorized):
        verify(f"{_base64(b'[' * 100_000).decode()}.e30.e30", certificates)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, "HS256", "ES256", "RS512", ["RS256"]])
def test_an_unsigned_token_is_refused(accounts: Accounts, certificates: Certificates, algorithm: Any) -> None:
    (key_id,) = accounts.certificates()

    with pytest.raises(Unauthorized):
        verify(by_hand({"alg": algorithm, "kid": key_id, "typ": "JWT"}, claims(), lambda _signed: b""), certificates)


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
def test_a_public_certificate_is_not_a_secret(accounts: Accounts, certificates: Certificates, algorithm: str) -> None:
    ((key_id, certificate),) = accounts.certificates().items()

    def mac(signed: bytes) -> bytes:
        return hmac.new(certificate.encode(), signed, hashlib.sha256).digest()

    with pytest.raises(Unauthorized):
        verify(by_hand({"alg": algorithm, "kid": key_id}, claims(), mac), certificates)


def test_a_changed_token_is_refused(sign: Sign, certificates: Certificates) -> None:
    header, _body, signature = sign(email="push@local-project.iam.gserviceaccount.com").split(".")
    forged = _base64(json.dumps(claims()).encode()).decode()

    with pytest.raises(Unauthorized):
        verify(f"{header}.{forged}.{signature}", certificates)


def test_a_token_signed_by_another_key_is_refused(accounts: Accounts, certificates: Certificates, stranger: Accounts) -> None:
    (key_id,) = accounts.certificates()
    stranger.certificates()
    other = signer_of(stranger)

    with pytest.raises(Unauthorized):
        verify(stranger.id_token(EMAIL, URL), certificates)
    with pytest.raises(Unauthorized):
        verify(jwt.encode(other, claims(), key_id=key_id).decode(), certificates)


def test_a_token_without_a_key_id_is_refused(signer: crypt.RSASigner, certificates: Certificates) -> None:
    with pytest.raises(Unauthorized):
        verify(by_hand({"alg": "RS256"}, claims(), signer.sign), certificates)


@pytest.mark.parametrize(("audience", "email"), [("", EMAIL), (URL, ""), ("", "")])
def test_a_service_without_a_configured_caller_refuses_all(
    accounts: Accounts, certificates: Certificates, audience: str, email: str
) -> None:
    with pytest.raises(Forbidden):
        verify(accounts.id_token(email, audience), certificates, audience, email)


def test_the_account_of_a_caller_is_its_subject(sign: Sign, certificates: Certificates) -> None:
    token = sign(sub="1041", email=None, email_verified=None)

    assert identity.subject(token, certificates, issuer=ISSUER, audience=URL) == "1041"
    assert identity.unverified_subject(token) == "1041"


@pytest.mark.parametrize(
    "changed",
    [{"aud": "https://other.test"}, {"iss": "https://other.test"}, {"exp": -3600}, {"sub": None}, {"sub": ""}, {"sub": 7}],
    ids=str,
)
def test_a_token_with_a_wrong_claim_names_no_caller(sign: Sign, certificates: Certificates, changed: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized):
        identity.subject(sign(**changed), certificates, issuer=ISSUER, audience=URL)


def test_a_service_without_a_url_takes_no_token(sign: Sign, certificates: Certificates) -> None:
    with pytest.raises(Unauthorized, match="no URL"):
        identity.subject(sign(aud=""), certificates, issuer=ISSUER, audience="")


def test_a_refusal_repeats_nothing_of_the_token(sign: Sign, certificates: Certificates) -> None:
    token = sign(email="eve@example.com")

    with pytest.raises(Forbidden) as refused:
        verify(token, certificates)
    assert "eve" not in refused.value.message
    assert token not in refused.value.message


class Clock:
    """Seconds since 1970, moved by hand."""

    def __init__(self) -> None:
        self.seconds = time.time()

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(accounts: Accounts) -> dict[str, str]:
    """The issuer's certificates. Clear them to withdraw them: then only an accepted token passes."""
    return accounts.certificates()


@pytest.fixture
def unkept(keys: dict[str, str], clock: Clock) -> Certificates:
    """Certificates that are fetched for every check."""
    certificates = Certificates(lambda: dict(keys), count(step=KEEP_SECONDS + 1).__next__)
    certificates.accepted = Accepted(clock)
    return certificates


@pytest.mark.failure("T69")
def test_an_accepted_token_needs_no_certificate_until_it_expires(
    sign: Sign, keys: dict[str, str], unkept: Certificates, clock: Clock
) -> None:
    token = sign(exp=600)
    verify(token, unkept)
    keys.clear()
    clock.seconds += 600 + SKEW_SECONDS - 2
    verify(token, unkept)

    clock.seconds += 3
    with pytest.raises(Unauthorized):
        verify(token, unkept)


def test_an_altered_copy_of_an_accepted_token_is_refused(sign: Sign, certificates: Certificates) -> None:
    token = sign()
    verify(token, certificates)
    header, body, signature = token.split(".")

    for altered in (f"{header}.{body}.{signature[:-4]}AAAA", f"{header}.{body}.", f"{token}A", f"{header}.{signature}.{body}"):
        with pytest.raises(Unauthorized):
            verify(altered, certificates)


def test_a_token_is_accepted_again_only_for_the_same_demands(sign: Sign, certificates: Certificates) -> None:
    token = sign()
    verify(token, certificates)

    with pytest.raises(Unauthorized):
        verify(token, certificates, audience="https://dispatcher.test")
    with pytest.raises(Forbidden):
        verify(token, certificates, email="push@local-project.iam.gserviceaccount.com")
    with pytest.raises(Unauthorized):
        identity.verify(token, certificates, issuer="https://accounts.example.com", audience=URL, email=EMAIL)
    with pytest.raises(Forbidden):
        verify(token, certificates, audience="")


def test_a_refused_token_stays_refused(sign: Sign, certificates: Certificates) -> None:
    token = sign(email_verified=False)

    for _ in range(2):
        with pytest.raises(Forbidden):
            verify(token, certificates)


def test_accepted_tokens_are_bounded_and_the_oldest_is_checked_again(
    sign: Sign, keys: dict[str, str], unkept: Certificates
) -> None:
    tokens = [sign(sub=str(number)) for number in range(MAX_ACCEPTED + 1)]
    for token in tokens:
        verify(token, unkept)
    keys.clear()

    for token in tokens[1:]:
        verify(token, unkept)
    with pytest.raises(Unauthorized):
        verify(tokens[0], unkept)


@pytest.mark.failure("T69")
def test_without_certificates_every_token_is_refused(sign: Sign) -> None:
    def down() -> Mapping[str, str]:
        raise Unavailable("down")

    with pytest.raises(Unavailable):
        verify(sign(), Certificates(down))
