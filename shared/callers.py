"""The callers of upload and issuer: who they are, as far as that is verified, and the keys that they send."""

from flask import Request

from shared import idempotency, identity
from shared.cloud.protocols import Cloud
from shared.errors import Unauthorized

#: Headers in which Cloud Run takes a caller's token.
TOKEN_HEADERS = ("authorization", "x-serverless-authorization")


def seed(request: Request, cloud: Cloud, audience: str) -> bytes:
    """The seed of the names of the objects of this request, by its `Idempotency-Key`; empty without a key.

    `audience` is the service's own URL. Raises `BadRequest`, `Unauthorized`; `Unavailable` without the certificates.
    """
    key = request.headers.get("idempotency-key")
    return b"" if key is None else idempotency.seed(key, caller(request, cloud, audience), cloud.settings.key_secret)


def caller(request: Request, cloud: Cloud, audience: str) -> str:
    """The caller's account as `sub` names it, empty without a verified identity (OpenID Connect Core 1.0 §2).

    On a service that Cloud Run guards, the token was verified before. On an open one it is verified here: one that does not pass
    is refused, as a repeat without the identity would be another file. Raises `Unauthorized`, `Unavailable`.
    """
    settings = cloud.settings
    tokens = [request.headers[name] for name in TOKEN_HEADERS if name in request.headers]
    if settings.callers == "shared" or not tokens:
        return ""
    if settings.callers == "verified":
        return identity.unverified_subject(_bearer(tokens[0])) if len(tokens) == 1 else ""
    if len(tokens) > 1:
        raise Unauthorized("the request has two tokens, in Authorization and in X-Serverless-Authorization; send one")
    try:
        return identity.subject(_bearer(tokens[0]), cloud.certificates, issuer=settings.token_issuer, audience=audience)
    except Unauthorized as error:
        raise Unauthorized(f"{error.message}; send an identity token for {audience}, or no token") from None


def _bearer(value: str) -> str:
    scheme, _, token = value.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("Authorization is not `Bearer <identity token>`")
    return token.strip()
