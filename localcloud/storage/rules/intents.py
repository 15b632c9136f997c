"""The intent of an upload: destination, settings, claims and conditions, read from a request. Pure."""

from collections.abc import Mapping
from typing import Any

from localcloud.storage.model import Intent
from localcloud.storage.rules.checksums import agreed, claims
from localcloud.storage.rules.conditions import header_conditions, query_conditions
from localcloud.storage.rules.names import check_object_name
from localcloud.storage.rules.objects import DEFAULT_TYPE, header_settings, object_settings
from localcloud.storage.rules.ranges import parse_length_range

Texts = Mapping[str, str]


def json_intent(bucket: str, query: Texts, headers: Texts, resource: Mapping[str, Any], media_type: str | None) -> Intent:
    """The intent of a JSON API upload, in its query and headers and in the object's resource."""
    settings = object_settings(resource)
    if encoding := query.get("contentEncoding"):
        settings.setdefault("contentEncoding", encoding)
    settings.setdefault("contentType", media_type or DEFAULT_TYPE)
    claimed = {kind: str(resource[key]) for kind, key in (("crc32c", "crc32c"), ("md5", "md5Hash")) if resource.get(key)}
    name = check_object_name(query.get("name") or resource.get("name"))
    return Intent(bucket, name, settings, agreed(claimed, claims(headers)), query_conditions(query))


def header_intent(bucket: str, name: str, headers: Texts) -> Intent:
    """The intent of an XML API upload, in its headers."""
    settings = header_settings({key: _text(value) for key, value in headers.items()})
    lengths = parse_length_range(headers.get("x-goog-content-length-range"))
    return Intent(bucket, name, settings, claims(headers), header_conditions(headers), lengths)


def _text(header: str) -> str:
    return header.encode("latin-1").decode("utf-8", "replace")
