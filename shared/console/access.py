"""Who may look, who may act, and the protection of both from other sites."""

import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Request, Response

from shared.cloud.protocols import Cloud
from shared.errors import Forbidden

_COOKIE = "sluice-action"
#: What this computer alone reaches. Another name that leads here is another site's (DNS rebinding).
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person behind a request.

    `name` is an e-mail address, or empty on a laptop. `token` goes with each action.
    """

    name: str
    may_act: bool
    token: str


def viewer(request: Request, cloud: Cloud) -> Viewer:  # noqa: ARG001
    """The viewer of this request. Raises `Forbidden`."""
    if urlsplit(f"//{request.host}").hostname not in _LOOPBACK:
        raise Forbidden("the console answers at 127.0.0.1 and localhost only; open it there")
    return Viewer("", True, request.cookies.get(_COOKIE, "") or secrets.token_urlsafe(_TOKEN_BYTES))


def check_action(request: Request, viewer: Viewer) -> None:
    """Refuse an action of a viewer who may only look, and one that another site sent. Raises `Forbidden`."""
    if not viewer.may_act:
        raise Forbidden("you may look, but not act; ask the operator to add you to SLUICE_OPERATORS")
    sent = request.headers.get("x-action-token") or request.form.get("token", "")
    kept = request.cookies.get(_COOKIE, "")
    if not kept or not hmac.compare_digest(sent.encode(), kept.encode()):
        raise Forbidden("this page is too old for its action; reload it, then repeat")
    origin = request.headers.get("origin")
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin" or (
        origin is not None and urlsplit(origin).netloc != request.host
    ):
        raise Forbidden("another site sent this action; use the console's own page")


def protected(answer: Response, cloud: Cloud) -> Response:
    """The answer with the headers that keep other sites and strangers' text from acting."""
    storage = cloud.settings.storage_origin
    allowed = f"'self' {storage}"
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": f"{allowed} data:",
        "media-src": allowed,
        "connect-src": allowed,
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    answer.headers["content-security-policy"] = "; ".join(f"{name} {value}" for name, value in policy.items())
    answer.headers["x-content-type-options"] = "nosniff"
    answer.headers["referrer-policy"] = "same-origin"
    answer.headers["cross-origin-opener-policy"] = "same-origin"
    answer.headers["cross-origin-resource-policy"] = "same-origin"
    return answer


def remember(answer: Response, viewer: Viewer, request: Request) -> None:
    """Keep the token of this viewer's actions in a cookie that other sites' requests do not carry."""
    answer.set_cookie(_COOKIE, viewer.token, httponly=True, samesite="Strict", secure=request.is_secure)
