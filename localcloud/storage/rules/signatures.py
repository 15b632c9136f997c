"""Verification of V4 signatures (https://cloud.google.com/storage/docs/authentication/canonical-requests). Pure.

Parameter names are in Title-Case (Google's libraries) or in lower case (gsutil).
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import quote, unquote_to_bytes

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from localcloud.http import Request
from localcloud.storage.errors import StorageError, invalid, unsupported

ALGORITHM = "GOOG4-RSA-SHA256"
MAX_EXPIRES_SECONDS = 7 * 24 * 3600
#: Largest allowed lead of the signer's clock.
MAX_SKEW_SECONDS = 15 * 60
_PORT = re.compile(r":\d*$")
_DATE_FORMAT = "%Y%m%dT%H%M%SZ"

PublicKey = Callable[[str], RSAPublicKey | None]


@dataclass(frozen=True, slots=True)
class Signed:
    """The signature in the query of a signed URL."""

    email: str
    scope: str
    date: str
    expires: int
    headers: list[str]
    signature: bytes

    @property
    def start(self) -> float:
        """The time of signing in seconds since the epoch."""
        return datetime.strptime(self.date, _DATE_FORMAT).replace(tzinfo=UTC).timestamp()


def is_signed(query: Mapping[str, str]) -> bool:
    """Whether the query has a signature to verify."""
    return any(key.lower() in {"x-goog-signature", "x-goog-algorithm"} for key in query)


def verify(request: Request, public_key: PublicKey, now: float) -> None:
    """403 or 400 for a wrong signature. A request without one comes from an anonymous client, and passes."""
    parameters = {key.lower(): value for key, value in request.query.items()}
    _refuse_other_schemes(request, parameters)
    if not is_signed(parameters):
        return
    signed = _parse(parameters)
    _check_time(signed, now)
    _check_headers(signed, request)
    canonical = canonical_request(request, signed.headers)
    key = public_key(signed.email)
    if key is None or not (_holds(key, signed, canonical) or _holds(key, signed, _without_port(request, signed.headers))):
        raise _mismatch(f"{signed.email} has no key here" if key is None else f"canonical request:\n{canonical}")


def check_form_signature(fields: Mapping[str, str], public_key: PublicKey) -> None:
    """403 or 400 for a policy document that the named account has not signed."""
    try:
        if fields["x-goog-algorithm"] != ALGORITHM:
            raise unsupported(f"the signing algorithm {fields['x-goog-algorithm'][:40]!r}, only {ALGORITHM}")
        email = fields["x-goog-credential"].partition("/")[0]
        signature = bytes.fromhex(fields["x-goog-signature"])
    except (KeyError, ValueError) as error:
        raise _malformed(f"missing or malformed: {error}") from None
    key = public_key(email)
    if key is None or not _verifies(key, signature, fields["policy"].encode()):
        raise _mismatch(f"{email} has no key here" if key is None else "the policy is signed with another key")


def canonical_request(request: Request, headers: Iterable[str]) -> str:
    """The text that both sides hash: method, path, query, headers, their names and the payload's hash."""
    lines = [f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in headers]
    payload = request.headers.get("x-goog-content-sha256", "UNSIGNED-PAYLOAD")
    return "\n".join(
        (
            request.method,
            _recode(request.path, "/~"),
            canonical_query(request.raw_query),
            "".join(lines),
            ";".join(headers),
            payload,
        )
    )


def canonical_query(raw: str) -> str:
    """All parameters except the signature, encoded again and sorted."""
    pairs = (pair.partition("=") for pair in raw.split("&") if pair)
    kept = sorted((_recode(key, "~"), _recode(value, "~")) for key, _, value in pairs)
    return "&".join(f"{key}={value}" for key, value in kept if key.lower() != "x-goog-signature")


def _without_port(request: Request, headers: Iterable[str]) -> str:
    # Node's client signs the host without the port to which it sends.
    host = _PORT.sub("", request.headers["host"])
    return canonical_request(replace(request, headers=request.headers | {"host": host}), headers)


def _parse(parameters: dict[str, str]) -> Signed:
    try:
        if parameters["x-goog-algorithm"] != ALGORITHM:
            raise unsupported(f"the signing algorithm {parameters['x-goog-algorithm'][:40]!r}, only {ALGORITHM}")
        email, _, scope = parameters["x-goog-credential"].partition("/")
        signed = Signed(
            email,
            scope,
            parameters["x-goog-date"],
            int(parameters["x-goog-expires"]),
            parameters["x-goog-signedheaders"].split(";"),
            bytes.fromhex(parameters["x-goog-signature"]),
        )
        date = datetime.fromtimestamp(signed.start, UTC).strftime("%Y%m%d")
    except (KeyError, ValueError) as error:
        raise _malformed(f"missing or malformed: {error}") from None
    parts = scope.split("/")
    if len(parts) != 4 or parts[0] != date or parts[2:] != ["storage", "goog4_request"]:
        raise _malformed(f"the credential scope must be {date}/LOCATION/storage/goog4_request")
    return signed


def _check_time(signed: Signed, now: float) -> None:
    if not 0 < signed.expires <= MAX_EXPIRES_SECONDS:
        raise _malformed(f"X-Goog-Expires must be 1 to {MAX_EXPIRES_SECONDS}")
    if signed.start > now + MAX_SKEW_SECONDS:
        message = f"Access denied. The signature is not yet valid: X-Goog-Date is {signed.date}."
        raise StorageError(403, "forbidden", message, "AccessDenied")
    end = signed.start + signed.expires
    if now > end:
        at = datetime.fromtimestamp(end, UTC).isoformat()
        raise invalid(f"The provided token has expired. Request signature expired at: {at}", "ExpiredToken")


def _check_headers(signed: Signed, request: Request) -> None:
    if "host" not in signed.headers:
        raise _malformed("the host header must be signed")
    for name in signed.headers:
        if name not in request.headers:
            message = f"Header was included in signedheaders, but not in the request: {name}"
            raise invalid(message, "MalformedSecurityHeader")
    for name in request.headers:
        if name.startswith(("x-goog-", "x-amz-")) and name not in signed.headers:
            raise invalid(f"Header must be signed: {name}", "MalformedSecurityHeader")


def _holds(key: RSAPublicKey, signed: Signed, canonical: str) -> bool:
    # latin-1 restores the bytes of the headers.
    digest = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
    text = "\n".join((ALGORITHM, signed.date, signed.scope, digest))
    return _verifies(key, signed.signature, text.encode("latin-1", "replace"))


def _verifies(key: RSAPublicKey, signature: bytes, text: bytes) -> bool:
    try:
        key.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _refuse_other_schemes(request: Request, parameters: dict[str, str]) -> None:
    if "googleaccessid" in parameters and "signature" in parameters:
        raise unsupported("V2 signatures; sign with version 4")
    if "x-amz-signature" in parameters or request.headers.get("authorization", "").startswith(("AWS", "GOOG")):
        raise unsupported("HMAC keys and signatures in the Authorization header")


def _recode(text: str, safe: str) -> str:
    return quote(unquote_to_bytes(text.encode("latin-1")), safe=safe)


def _mismatch(details: str) -> StorageError:
    message = (
        "Access denied. The request signature we calculated does not match the signature you provided. "
        "Check your Google secret key and signing method."
    )
    return StorageError(403, "forbidden", message, "SignatureDoesNotMatch", details)


def _malformed(detail: str) -> StorageError:
    return invalid(f"Invalid query authorization: {detail}.", "AuthorizationQueryParametersError")
