"""Who calls: the identity token of Cloud Tasks or Pub/Sub, verified here even where the platform has done so already.

Source: Cloud Run: authenticating service-to-service; OpenID Connect Core 1.0 §3.1.3.7.
"""

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
#: Certificates are fetched again after this long; Google's are announced days before they are used.
KEEP_SECONDS = 3600
#: A token signed by a key we do not know makes us look again, but not more often than this.
LOOK_AGAIN_SECONDS = 60


class Certificates:
    """An issuer's certificates, by key id; fetched when needed, by one thread at a time."""

    def __init__(self, fetch: Callable[[], Mapping[str, str]], now: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._now = now
        self._lock = threading.Lock()
        self._known: Mapping[str, str] = {}
        self._fetched = self._looked = float("-inf")

    def of(self, key_id: str) -> str:
        """The certificate of this key. Raises `Unauthorized` when there is none, `Unavailable` when we cannot know."""
        with self._lock:
            now = self._now()
            is_new = key_id not in self._known and now - self._looked > LOOK_AGAIN_SECONDS
            if is_new or now - self._fetched > KEEP_SECONDS:
                self._looked = now  # before the attempt: strangers' tokens must not make us wait for an issuer that is down
                self._known, self._fetched = self._fetch(), now
            if key_id not in self._known:
                raise Unauthorized("the token is signed by a key that its issuer does not have")
            return self._known[key_id]


def fetch(url: str) -> Mapping[str, str]:
    """Key id → PEM certificate, as https://www.googleapis.com/oauth2/v1/certs answers. Raises `Unavailable`."""
    try:
        with urllib.request.urlopen(url, timeout=FETCH_SECONDS) as answer:  # noqa: S310  (the URL is a setting)
            return {str(key): str(certificate) for key, certificate in json.load(answer).items()}
    except (urllib.error.URLError, OSError, ValueError, AttributeError) as error:
        raise Unavailable("the certificates of the token's issuer cannot be had") from error


def verify(token: str, certificates: Certificates, *, issuer: str, audience: str, email: str) -> None:
    """Accept only an unexpired RS256 token of this issuer, for this audience, of this verified account.

    Raises `Unauthorized` (it proves nothing), `Forbidden` (it proves to be somebody else), `Unavailable` (we cannot tell).
    """
    if not audience or not email:
        raise Forbidden("this service knows no caller")
    claims = _claims(token, certificates, audience)
    if claims.get("iss") not in (issuer, issuer.removeprefix("https://")):
        raise Unauthorized("the token is of another issuer")
    if claims.get("email") != email or claims.get("email_verified") is not True:
        raise Forbidden("the token is of an account that may not call this")


def _claims(token: str, certificates: Certificates, audience: str) -> Mapping[str, Any]:
    try:
        header = jwt.decode_header(token)
        if header.get("alg") != "RS256":
            raise Unauthorized("the token is not signed with RS256")
        key_id = str(header.get("kid"))
        known = {key_id: certificates.of(key_id)}
        claims = jwt.decode(token, certs=known, audience=audience, clock_skew_in_seconds=SKEW_SECONDS)
        return dict(claims)
    except (exceptions.GoogleAuthError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise Unauthorized(
            "the token is not valid: malformed, expired, for another audience or not signed by its issuer"
        ) from None
