"""Protection from other sites: a token with each action, the origin of actions, headers of answers.

The token is in a cookie and in the page (double submit): another site can send the cookie, but cannot read the page.
"""

import hmac
import re
import secrets
from urllib.parse import urlsplit

from flask import Request, Response

from shared.console.viewer import Viewer
from shared.errors import Forbidden
from shared.settings import Settings

#: What this computer alone reaches. Another name that leads here is another site's (DNS rebinding).
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TOKEN_BYTES = 16
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")


def cookie(way: str) -> str:
    """The name of the token's cookie. With this prefix, only https and only this host can set it (RFC 6265bis)."""
    return "__Host-sluice-action" if way == "iap" else "sluice-action"


def token(request: Request, way: str) -> str:
    """The token that this browser has, else a new one."""
    kept = request.cookies.get(cookie(way), "")
    return kept if _TOKEN.fullmatch(kept) else secrets.token_urlsafe(_TOKEN_BYTES)


def remember(answer: Response, viewer: Viewer) -> None:
    """Keep the token in a cookie that scripts cannot read and other sites' requests do not carry."""
    answer.set_cookie(cookie(viewer.way), viewer.token, httponly=True, samesite="Strict", secure=viewer.way == "iap")


def check_action(request: Request, viewer: Viewer) -> None:
    """Refuse an action of a viewer who may only look, and one that another site sent. Raises `Forbidden`."""
    if not viewer.may_act:
        raise Forbidden("you may look, but not act; ask the person who deployed Sluice to add you to --console-operators")
    if not _is_of_our_page(request, viewer.way):
        raise Forbidden("another site sent this action; use the console's own page")
    sent = request.headers.get("x-action-token") or request.form.get("token", "")
    kept = request.cookies.get(cookie(viewer.way), "")
    if not _TOKEN.fullmatch(kept) or not hmac.compare_digest(sent.encode(), kept.encode()):
        raise Forbidden("this page is too old for its action; open it again, then repeat")


def _is_of_our_page(request: Request, way: str) -> bool:
    """Whether a page of this console sent the request. Browsers say so with each POST."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return way == "loopback"
    if way == "invoker" and origin.startswith("http://") and hostname(origin) in LOOPBACK:
        return True  # the proxy on the viewer's computer, which sends Cloud Run's name as the host
    return origin == f"{'http' if way == 'loopback' else 'https'}://{request.host}"


def hostname(url: str) -> str:
    """The host of a URL, empty if it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def protected(answer: Response, settings: Settings) -> Response:
    """The answer with the headers that keep other sites and strangers' text from acting."""
    allowed = f"'self' {settings.storage_origin}"
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
    answer.headers["x-frame-options"] = "DENY"
    answer.headers["x-content-type-options"] = "nosniff"
    answer.headers["referrer-policy"] = "same-origin"
    answer.headers["cross-origin-opener-policy"] = "same-origin"
    answer.headers["cross-origin-resource-policy"] = "same-origin"
    return answer
