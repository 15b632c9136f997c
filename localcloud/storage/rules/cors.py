"""Requests of web pages, as a bucket's CORS configuration allows them. Pure.

https://cloud.google.com/storage/docs/cross-origin. Stricter than Cloud Storage, where credentials decide: here every request
is trusted, so a page of a foreign origin needs a rule of the bucket, for the JSON API too.
"""

from collections.abc import Mapping
from typing import Any

from localcloud.guard import foreign_origin, is_foreign
from localcloud.http import Header
from localcloud.storage.errors import StorageError
from localcloud.storage.model import Bucket

Rule = Mapping[str, Any]


def check_origin(bucket: Bucket | None, method: str, headers: Mapping[str, str]) -> None:
    """403 for a request of a page of a foreign origin, unless a rule of the bucket allows it."""
    origin = headers.get("origin")
    if origin is not None and is_foreign(origin) and _rule(bucket, origin, method) is None:
        message = f"{foreign_origin(origin)} Or add a CORS rule with this origin and {method} to the bucket."
        raise StorageError(403, "forbidden", message, "AccessDenied")


def preflight_headers(bucket: Bucket | None, headers: Mapping[str, str]) -> list[Header]:
    """Headers of the answer to OPTIONS; none when no rule of the bucket allows the announced request."""
    method = headers.get("access-control-request-method", "")
    asked = [name.strip() for name in headers.get("access-control-request-headers", "").split(",") if name.strip()]
    rule = _rule(bucket, headers.get("origin", ""), method)
    if rule is None or not all(_is_allowed(name, rule) for name in asked):
        return []
    return [
        *_origin(rule, headers["origin"]),
        (b"access-control-allow-methods", ", ".join(_texts(rule, "method")).encode("latin-1", "replace")),
        (b"access-control-allow-headers", ", ".join(asked).encode("latin-1", "replace")),
        (b"access-control-max-age", str(_max_age(rule)).encode()),
    ]


def response_headers(bucket: Bucket | None, method: str, headers: Mapping[str, str]) -> list[Header]:
    """Headers to add to the answer of a cross-origin request; none when no rule of the bucket allows it."""
    if "origin" not in headers:
        return []
    rule = _rule(bucket, headers["origin"], method)
    if rule is None:
        return []
    exposed = ", ".join(_texts(rule, "responseHeader")).encode("latin-1", "replace")
    return [*_origin(rule, headers["origin"]), (b"access-control-expose-headers", exposed)]


def open_preflight_headers(headers: Mapping[str, str]) -> list[Header]:
    """Headers of the JSON API's answer to OPTIONS from a page of this machine: everything is allowed."""
    asked = headers.get("access-control-request-headers", "*").encode("latin-1", "replace")
    return [
        (b"access-control-allow-origin", headers.get("origin", "*").encode("latin-1", "replace")),
        (b"access-control-allow-methods", b"DELETE, GET, HEAD, PATCH, POST, PUT"),
        (b"access-control-allow-headers", asked),
        (b"access-control-max-age", b"3600"),
        (b"vary", b"Origin"),
    ]


def open_response_headers(headers: Mapping[str, str]) -> list[Header]:
    """Headers to add to an answer of the JSON API to a page of this machine."""
    if "origin" not in headers:
        return []
    exposed = b"Content-Length, Content-Type, Date, ETag, Location, Range, X-Goog-Hash, X-GUploader-UploadID"
    origin = headers["origin"].encode("latin-1", "replace")
    return [(b"access-control-allow-origin", origin), (b"access-control-expose-headers", exposed), (b"vary", b"Origin")]


def _rule(bucket: Bucket | None, origin: str, method: str) -> Rule | None:
    rules: list[Rule] = bucket.settings.get("cors", []) if bucket else []
    for rule in rules:
        origins, methods = _texts(rule, "origin"), _texts(rule, "method")
        if origin and ("*" in origins or origin in origins) and ("*" in methods or method in methods):
            return rule
    return None


def _origin(rule: Rule, origin: str) -> list[Header]:
    if "*" in _texts(rule, "origin"):
        return [(b"access-control-allow-origin", b"*")]
    return [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]


def _is_allowed(name: str, rule: Rule) -> bool:
    for allowed in (text.lower() for text in _texts(rule, "responseHeader")):
        if allowed == name.lower() or (allowed.endswith("*") and name.lower().startswith(allowed[:-1])):
            return True
    return False


def _texts(rule: Rule, key: str) -> list[str]:
    value = rule.get(key)
    return [str(item) for item in value] if isinstance(value, list) else []


def _max_age(rule: Rule) -> int:
    value = rule.get("maxAgeSeconds", 3600)
    return value if isinstance(value, int) else 3600
