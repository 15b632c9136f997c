"""Headers of a task's request: which a user may give, and which are Google's own."""

import re
from typing import Any

from localcloud.errors import ApiError

USER_AGENT = "Google-Cloud-Tasks"

# Google's own, and those that belong to one connection rather than to the request (RFC 9110 §7.6.1).
_RESERVED = re.compile(
    r"host|content-length|user-agent|x-google-.*|x-appengine-.*|x-cloudtasks-.*"
    r"|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect",
    re.IGNORECASE,
)


def is_reserved(name: str) -> bool:
    """Whether a header of that name is left out, whoever gives it (target.proto, HttpRequest.headers)."""
    return _RESERVED.fullmatch(name) is not None


def check(name: str, value: str, field: str) -> None:
    """Refuse what no HTTP request could carry."""
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
        raise ApiError("INVALID_ARGUMENT", f"{field}: bad name {name!r}.")
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
        raise ApiError("INVALID_ARGUMENT", f"{field}: bad value of {name}.")


def replace(headers: Any, name: str, value: str) -> None:
    """Set a header in place of any whose name differs only in its case."""
    for known in [known for known in headers if known.lower() == name.lower()]:
        del headers[known]
    headers[name] = value
