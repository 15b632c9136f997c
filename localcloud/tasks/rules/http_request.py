"""Checks and defaults of a task's HTTP request (target.proto, HttpRequest)."""

import re
from typing import Any
from urllib.parse import quote, urlsplit

from localcloud.errors import ApiError, require
from localcloud.tasks.messages import Task

USER_AGENT = "Google-Cloud-Tasks"
MAX_URL_CHARACTERS = 2083
MAX_HEADER_BYTES = 80 * 1024

_POST = 1
_METHODS = Task.DESCRIPTOR.fields_by_name["http_request"].message_type.fields_by_name["http_method"].enum_type
_WITH_BODY = ("POST", "PUT", "PATCH")
# Google's own, and those that belong to one connection rather than to the request (RFC 9110 §7.6.1).
_RESERVED = re.compile(
    r"host|content-length|user-agent|x-google-.*|x-appengine-.*|x-cloudtasks-.*"
    r"|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect",
    re.IGNORECASE,
)


def complete(request: Any) -> None:
    """Check the request and fill in its defaults. Raises `ApiError` (INVALID_ARGUMENT)."""
    request.url = _checked_url(request.url)
    check_authorization(request, "HttpRequest")
    if request.http_method not in range(8):
        raise ApiError("INVALID_ARGUMENT", f"HttpRequest.httpMethod {request.http_method} is unknown.")
    request.http_method = request.http_method or _POST
    method = method_name(request.http_method)
    allowed = not request.body or method in _WITH_BODY
    require(allowed, f"HttpRequest.body is not allowed for HttpMethod {method}; only for POST, PUT and PATCH.")
    _complete_headers(request.headers)


def method_name(number: int) -> str:
    """`2` → `GET`; `0`, the field's default, → `POST`."""
    return str(_METHODS.values_by_number[number or _POST].name)


def encoded_url(url: str) -> str:
    """The URL, percent-encoded where necessary; existing escapes stay."""
    return quote(url, safe="%/:?#[]@!$&'()*+,;=-._~")


def is_reserved(name: str) -> bool:
    """Whether Cloud Tasks drops a header of that name (target.proto, HttpRequest.headers)."""
    return _RESERVED.fullmatch(name) is not None


def check_authorization(message: Any, field: str) -> None:
    """Raise `ApiError` (INVALID_ARGUMENT) for an OIDC or OAuth token without a service account."""
    kind = message.WhichOneof("authorization_header")
    email = getattr(message, kind).service_account_email if kind else "-@-"
    require("@" in email, f"{field}.{kind}.serviceAccountEmail must be the e-mail of a service account.")


def check_header(name: str, value: str, field: str) -> None:
    """Raise `ApiError` (INVALID_ARGUMENT) for a name or value that HTTP does not allow (RFC 9110 §5)."""
    require(bool(re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name)), f"{field}: bad name {name!r}.")
    require(not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value), f"{field}: bad value of {name}.")


def replace_header(headers: Any, name: str, value: str) -> None:
    """Set a header; names are compared without regard to case."""
    for known in [known for known in headers if known.lower() == name.lower()]:
        del headers[known]
    headers[name] = value


def _checked_url(url: str) -> str:
    require(bool(url), "HttpRequest.url is required.")
    require(url.lower().startswith(("http://", "https://")), "HttpTarget.url must start with 'http://' or 'https://'.")
    result = encoded_url(url)
    require(len(result) <= MAX_URL_CHARACTERS, f"HttpRequest.url cannot be longer than {MAX_URL_CHARACTERS} characters.")
    require(_has_host(result), "HttpRequest.url has no valid host and port.")
    return result


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _complete_headers(given: Any) -> None:
    for name in list(given):
        check_header(name, given[name], "HttpRequest.headers")
        if is_reserved(name):
            del given[name]
    given["User-Agent"] = USER_AGENT
    size = sum(len(name) + len(value.encode()) for name, value in given.items())
    require(size < MAX_HEADER_BYTES, "The size of HttpRequest.headers must be less than 80KB.")
