"""Keeps web pages out: any page that a developer visits can send requests to ports of this machine.

- Host: by DNS rebinding a page makes its own name resolve to 127.0.0.1 and may then read every answer.
- Origin: browsers send it with every request across origins that can change something. Navigations, images and scripts
  send GET without it, but no GET changes anything here (Pull is a POST). The page cannot read the answer, except an
  object that is a script, if it guesses the name.
- Content-Type: a page may send forms and plain text without a preflight (https://fetch.spec.whatwg.org/#cors-safelisted-request-header).

The gRPC ports need no guard: browsers speak HTTP/2 only over TLS, and these ports take only cleartext HTTP/2.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from localcloud.errors import ApiError
from localcloud.http import App, Receive, Scope, Send, json_bytes_answer, send_answer

#: The hosts of the local cloud, and of Cloud Storage: clients that are pointed here keep Google's names in `Host`.
LOOPBACK = r"127\.0\.0\.1|localhost|\[::1\]"
STORAGE = rf"{LOOPBACK}|([^:/]+\.)?storage\.googleapis\.com|www\.googleapis\.com|[^:/]+\.localhost"
_LOOPBACK_ORIGIN = re.compile(rf"https?://({LOOPBACK}|[^:/]+\.localhost)(:\d+)?", re.IGNORECASE)
#: Every type of the safelist; a page may add parameters.
_PAGE_TYPES = (b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data")

Check = Callable[[Scope], bool]


def guarded(app: App, hosts: str, *, needs_json: Check, checks_origins: bool = False) -> App:
    """The app behind the checks.

    `hosts` is a regular expression for `Host` without its port. `needs_json` says which requests must not have the
    content type of a form or of plain text. An app that `checks_origins` decides itself about foreign origins.
    """
    is_host = lru_cache(256)(re.compile(rf"({hosts})(:\d*)?".encode(), re.IGNORECASE).fullmatch)

    def check(scope: Scope) -> None:
        headers = dict(scope["headers"])
        if not is_host(headers.get(b"host", b"")):
            raise _refused_host(headers.get(b"host", b""))
        if b"origin" in headers and not checks_origins and is_foreign(origin := headers[b"origin"].decode("latin-1")):
            raise ApiError("PERMISSION_DENIED", foreign_origin(origin))
        if headers.get(b"content-type", b"").lower().startswith(_PAGE_TYPES) and _has_body(headers) and needs_json(scope):
            raise _refused_type(headers[b"content-type"])

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                check(scope)
            except ApiError as error:
                await send_answer(json_bytes_answer(error.to_json(), error.http_code), send)
                return
        await app(scope, receive, send)

    return guard


def is_foreign(origin: str) -> bool:
    """Whether a page of this origin is not served from this machine; `null` is foreign."""
    return _LOOPBACK_ORIGIN.fullmatch(origin) is None


def foreign_origin(origin: str) -> str:
    """The message of the refusal."""
    return (
        f"Origin {origin[:200]!r} is refused: the local cloud serves web pages of this machine only, such as http://localhost."
    )


def _has_body(headers: dict[bytes, bytes]) -> bool:
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"


def _refused_host(host: bytes) -> ApiError:
    found = f"Host {host.decode('latin-1')[:200]!r}" if host else "A request without Host"
    return ApiError("PERMISSION_DENIED", f"{found} is refused: send 127.0.0.1, localhost or [::1], with any port.")


def _refused_type(content_type: bytes) -> ApiError:
    found = content_type.decode("latin-1")[:200]
    return ApiError("INVALID_ARGUMENT", f"Content-Type {found!r} is refused: send the header `Content-Type: application/json`.")
