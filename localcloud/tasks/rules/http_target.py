"""A queue's HTTP target (queue.proto, `http_target`), which overrides the requests of its tasks."""

from typing import Any
from urllib.parse import SplitResult, urlsplit

from localcloud.errors import ApiError, require
from localcloud.protobuf import copy
from localcloud.tasks.rules.http_request import check_authorization, check_header, is_reserved, replace_header

_SCHEMES = {1: "http", 2: "https"}
_IF_NOT_EXISTS = 1
_GET = 2


def check(queue: Any) -> None:
    """Check a queue's target. Raises `ApiError` (INVALID_ARGUMENT)."""
    target = queue.http_target
    uri = target.uri_override
    require(bool(uri.host) or not uri.HasField("host"), "HttpTarget.uriOverride.host cannot be an empty string.")
    require(_is_host(_bracketed(uri.host)), f"HttpTarget.uriOverride.host {uri.host[:80]!r} cannot stand in a URL.")
    require(0 <= uri.port <= 65535, "HttpTarget.uriOverride.port must be between 0 and 65535.")
    for override in target.header_overrides:
        check_header(override.header.key, override.header.value, "HttpTarget.headerOverrides")
    check_authorization(target, "HttpTarget")


def overridden(request: Any, queue: Any) -> Any:
    """The request with the queue's overrides; the same object when the queue has no target."""
    if not queue.HasField("http_target"):
        return request
    target, result = queue.http_target, copy(request)
    result.url = overridden_url(request.url, target.uri_override)
    if target.http_method:
        result.http_method = target.http_method
        if target.http_method == _GET:
            result.body = b""
    for override in (o for o in target.header_overrides if not is_reserved(o.header.key)):
        replace_header(result.headers, override.header.key, override.header.value)
    if kind := target.WhichOneof("authorization_header"):
        getattr(result, kind).CopyFrom(getattr(target, kind))
    return result


def url_of(queue: Any) -> str:
    """The URL of a buffered task, from the queue's override. Raises `ApiError` (FAILED_PRECONDITION) without a host."""
    uri = queue.http_target.uri_override
    if not uri.host:
        raise ApiError("FAILED_PRECONDITION", "Queue.httpTarget.uriOverride.host must be set to buffer tasks.")
    return overridden_url(f"https://{_bracketed(uri.host)}/", uri, always=True)


def overridden_url(url: str, uri: Any, *, always: bool = False) -> str:
    """The URL with the parts of the override; in mode IF_NOT_EXISTS only with the parts it lacks, unless `always`."""
    always = always or uri.uri_override_enforce_mode != _IF_NOT_EXISTS
    old = urlsplit(url)
    scheme = _SCHEMES.get(uri.scheme, "https") if uri.HasField("scheme") and always else old.scheme
    path = uri.path_override.path if uri.HasField("path_override") and (always or not old.path) else old.path
    has_query = uri.HasField("query_override") and (always or not old.query)
    query = uri.query_override.query_params if has_query else old.query
    return SplitResult(scheme, _authority(old, uri, always), path, query, "").geturl()


def _authority(old: SplitResult, uri: Any, always: bool) -> str:
    host = uri.host if uri.HasField("host") and always else (old.hostname or "")
    port = uri.port if uri.HasField("port") and (always or not old.port) else old.port
    return f"{_bracketed(host)}:{port}" if port else _bracketed(host)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _is_host(text: str) -> bool:
    try:
        return urlsplit(f"//{text}").port is None
    except ValueError:
        return False
