"""Verifies tokens of Cloud Tasks, Pub/Sub, Identity-Aware Proxy and callers, also where the platform did before.

Source: Cloud Run: authenticating service-to-service; OpenID Connect Core 1.0 §3.1.3.7; Identity-Aware Proxy: signed headers.
"""

import hashlib
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from google.auth import exceptions, jwt

from shared.errors import Forbidden, Unauthorized, Unavailable

SKEW_SECONDS = 60
FETCH_SECONDS = 10
#: Age at which certificates are fetched again. Google publishes them days before they are used.
KEEP_SECONDS = 3600
#: Shortest time between two fetches for unknown keys.
LOOK_AGAIN_SECONDS = 60
#: A service has one caller, which uses a few tokens at a time.
MAX_ACCEPTED = 64
IAP_ISSUER = "https://cloud.google.com/iap"

#: SHA-256 of a token, and the issuer, audience and e-mail that it was verified for
Demanded = tuple[bytes, str, str, str]


class Certificates:
    """An issuer's certificates by key id, fetched on demand by one thread at a time, and the tokens they verified."""

    def __init__(self, fetch: Callable[[], Mapping[str, str]], now: Callable[[], float] = time.monotonic) -> None:
        self.accepted = Accepted()
        self._fetch = fetch
        self._now = now
        self._lock = threading.Lock()
        self._known: Mapping[str, str] = {}
        self._fetched = self._looked = float("-inf")

    def of(self, key_id: str) -> str:
        """The certificate of this key. Raises `Unauthorized` for an unknown key, `Unavailable` when the fetch fails."""
        with self._lock:
            now = self._now()
            is_new = key_id not in self._known and now - self._looked > LOOK_AGAIN_SECONDS
            if is_new or now - self._fetched > KEEP_SECONDS:
                self._looked = now  # before the fetch: forged tokens must not make us wait for an issuer that is down
                self._known, self._fetched = self._fetch(), now
            if key_id not in self._known:
                raise Unauthorized("the token's key is not one of its issuer's; send a token of that issuer")
            return self._known[key_id]


class Accepted:
    """The tokens that passed every check, until they expire: a caller sends the same one for up to an hour.

    A token that passed is accepted until its expiry (at most one hour for Google's) even if its certificate is withdrawn meanwhile.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._expiry: dict[Demanded, float] = {}

    def has(self, demanded: Demanded) -> bool:
        """Whether the token passed for exactly this and is not expired."""
        with self._lock:
            return self._now() <= self._expiry.get(demanded, float("-inf")) + SKEW_SECONDS

    def add(self, demanded: Demanded, expiry: float) -> None:
        """Keep a token that passed. `expiry` is in seconds since 1970. The oldest makes room."""
        with self._lock:
            self._expiry[demanded] = expiry
            while len(self._expiry) > MAX_ACCEPTED:
                del self._expiry[next(iter(self._expiry))]


def fetch(url: str) -> Mapping[str, str]:
    """Fetch key id → PEM certificate, in the form of https://www.googleapis.com/oauth2/v1/certs. Raises `Unavailable`."""
    try:
        with urllib.request.urlopen(url, timeout=FETCH_SECONDS) as answer:  # noqa: S310  (the URL is a setting)
            return {str(key): str(certificate) for key, certificate in json.load(answer).items()}
    except (urllib.error.URLError, OSError, ValueError, AttributeError) as error:
        raise Unavailable("the certificates of the token's issuer cannot be fetched; retry") from error


def verify(token: str, certificates: Certificates, *, issuer: str, audience: str, email: str) -> None:
    """Accept only an unexpired RS256 token of this issuer, for this audience, of this verified account.

    A token that passed is not checked again until it expires. Raises `Unauthorized` for an invalid token, `Forbidden` for another
    account's, `Unavailable` when the certificates are missing.
    """
    if not audience or not email:
        raise Forbidden("this service has no caller configured; set its URL and its caller's account")
    demanded = (hashlib.sha256(token.encode()).digest(), issuer, audience, email)
    if certificates.accepted.has(demanded):
        return
    claims = _claims_of(issuer, token, certificates, audience)
    if claims.get("email") != email or claims.get("email_verified") is not True:
        raise Forbidden("the token's account may not call this service")
    certificates.accepted.add(demanded, claims["exp"])


def subject(token: str, certificates: Certificates, *, issuer: str, audience: str) -> str:
    """The account, as `sub` names it, in an unexpired RS256 token of this issuer for this audience.

    Raises `Unauthorized` for any other token, `Unavailable` when the certificates are missing.
    """
    if not audience:
        raise Unauthorized("this service has no URL configured that a token could be for")
    return _subject(_claims_of(issuer, token, certificates, audience))


def unverified_subject(token: str) -> str:
    """The account in a token that was verified elsewhere. Raises `Unauthorized` for one without."""
    return _subject(_unverified(token))


def _subject(claims: Mapping[str, Any]) -> str:
    found = claims.get("sub")
    if not isinstance(found, str) or not found:
        raise Unauthorized("the token names no account")
    return found


def asserted_email(assertion: str, keys: Certificates, audience: str) -> str:
    """The e-mail in an unexpired ES256 token of Identity-Aware Proxy for this audience.

    Raises `Unauthorized` for any other token, `Unavailable` when the keys are missing.
    """
    claims = _claims(assertion, keys, audience, "ES256")
    if claims.get("iss") != IAP_ISSUER:
        raise Unauthorized("the token is from another issuer")
    return _email(claims)


def unverified_email(token: str) -> str:
    """The e-mail in a token that was verified elsewhere. Raises `Unauthorized` for one without."""
    claims = _unverified(token)
    if claims.get("email_verified") is not True:
        raise Unauthorized("the token has no verified e-mail address")
    return _email(claims)


def _unverified(token: str) -> Mapping[str, Any]:
    try:
        claims = jwt.decode(token, verify=False)
    except (exceptions.GoogleAuthError, ValueError, TypeError, AttributeError, RecursionError):
        raise Unauthorized("the token is no identity token that can be read") from None
    return claims if isinstance(claims, Mapping) else {}


def _email(claims: Mapping[str, Any]) -> str:
    email = claims.get("email")
    if not isinstance(email, str) or not email:
        raise Unauthorized("the token has no e-mail address")
    return email.lower()


def _claims_of(issuer: str, token: str, certificates: Certificates, audience: str) -> Mapping[str, Any]:
    claims = _claims(token, certificates, audience, "RS256")
    if claims.get("iss") not in (issuer, issuer.removeprefix("https://")):
        raise Unauthorized("the token is from another issuer")
    return claims


def _claims(token: str, certificates: Certificates, audience: str, algorithm: str) -> Mapping[str, Any]:
    try:
        header = jwt.decode_header(token)
        if header.get("alg") != algorithm:
            raise Unauthorized(f"the token is not signed with {algorithm}")
        key_id = str(header.get("kid"))
        known = {key_id: certificates.of(key_id)}
        claims = jwt.decode(token, certs=known, audience=audience, clock_skew_in_seconds=SKEW_SECONDS)
        return dict(claims)
    except (exceptions.GoogleAuthError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise Unauthorized(
            "the token is not valid: malformed, expired, for another audience or not signed by its issuer"
        ) from None
