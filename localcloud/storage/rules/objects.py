"""The fields of an object that a client may set, with their checks. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from localcloud.storage.errors import ACLS, invalid, no_acls, unsupported
from localcloud.storage.model import Settings

STORAGE_CLASSES = {
    "STANDARD",
    "NEARLINE",
    "COLDLINE",
    "ARCHIVE",
    "REGIONAL",
    "MULTI_REGIONAL",
    "DURABLE_REDUCED_AVAILABILITY",
}
_TEXTS = (
    "contentType",
    "contentEncoding",
    "contentDisposition",
    "contentLanguage",
    "cacheControl",
    "storageClass",
    "customTime",
)
#: Fields that would change the service's behaviour and are not supported. Empty and false values are harmless.
_UNSUPPORTED = ("acl", "temporaryHold", "eventBasedHold", "retention", "kmsKeyName", "contexts")
MAX_METADATA_BYTES = 8192
DEFAULT_TYPE = "application/octet-stream"
_META = "x-goog-meta-"
_HEADER_FIELDS = {
    "content-type": "contentType",
    "content-encoding": "contentEncoding",
    "content-disposition": "contentDisposition",
    "content-language": "contentLanguage",
    "cache-control": "cacheControl",
    "x-goog-storage-class": "storageClass",
    "x-goog-custom-time": "customTime",
}
#: Stored among the settings, but written by lifecycle rules only; without it, the resource shows the object's creation time.
CLASS_CHANGED = "timeStorageClassUpdated"


def object_settings(body: Mapping[str, Any]) -> Settings:
    """The settable fields of an object resource, checked. Output-only fields, which clients echo, are dropped."""
    refuse_fields(body, _UNSUPPORTED)
    settings = {key: body[key] for key in _TEXTS if body.get(key) is not None}
    if not all(isinstance(value, str) for value in settings.values()):
        raise invalid(f"Not a string: {', '.join(key for key, value in settings.items() if not isinstance(value, str))}")
    if "storageClass" in settings:
        settings["storageClass"] = check_class(settings["storageClass"])
    if "customTime" in settings:
        check_time(settings["customTime"], "customTime")
    metadata = body.get("metadata")
    if metadata is not None:
        settings["metadata"] = _check_metadata(metadata)
    return settings


def header_settings(headers: Mapping[str, str]) -> Settings:
    """The settings in an upload's headers, or in a form's fields, which have the same names."""
    given: Settings = {field: headers[header] for header, field in _HEADER_FIELDS.items() if header in headers}
    metadata = {key[len(_META) :]: value for key, value in headers.items() if key.startswith(_META)}
    if metadata:
        given["metadata"] = metadata
    given.setdefault("contentType", DEFAULT_TYPE)
    return object_settings(given)


def changed_settings(current: Settings, given: Settings) -> Settings:
    """The settings after PATCH or PUT. 400 for another storage class, which only a rewrite may set."""
    now = current.get("storageClass", "STANDARD")
    if given.get("storageClass") not in {None, now}:
        raise invalid("The storage class of an object is changed by a rewrite, not by its metadata.")
    was = current.get("customTime")
    custom = given.get("customTime") or was
    if was and custom and _parsed(custom) < _parsed(was):
        raise invalid("customTime cannot be set to an earlier time.")
    kept = {CLASS_CHANGED: current[CLASS_CHANGED]} if CLASS_CHANGED in current else {}
    return given | kept | {"storageClass": now} | ({"customTime": custom} if custom else {})


def patched(current: Settings, patch: Mapping[str, Any], merged: frozenset[str]) -> Settings:
    """Merge as PATCH does: null removes a field; those of `merged` are merged by key, all else is replaced."""
    result = {**current, **patch}
    for key in merged & patch.keys():
        if isinstance(patch[key], dict) and isinstance(current.get(key), dict):
            result[key] = {**current[key], **patch[key]}
        if isinstance(result[key], dict):
            result[key] = {name: value for name, value in result[key].items() if value is not None} or None
    return {key: value for key, value in result.items() if value is not None}


def check_class(value: Any) -> str:
    """The storage class in capitals; 400 for an unknown one. It is stored, shown and matched by lifecycle rules."""
    if not isinstance(value, str) or value.upper() not in STORAGE_CLASSES:
        raise invalid(f"Invalid storage class {str(value)[:40]!r}: {', '.join(sorted(STORAGE_CLASSES))}.")
    return value.upper()


def check_time(value: Any, field: str) -> str:
    """The RFC 3339 time itself; 400 for any other value."""
    try:
        if _parsed(value).tzinfo is not None:
            return str(value)
    except (TypeError, ValueError):
        pass
    raise invalid(f"{field} must be a time like 2030-01-02T03:04:05Z, not {str(value)[:40]!r}.")


def refuse_fields(body: Mapping[str, Any], fields: tuple[str, ...]) -> None:
    """400 naming the first of these fields that has a value."""
    for key in fields:
        if body.get(key):
            raise no_acls() if key in ACLS else unsupported(key)


def _check_metadata(metadata: Any) -> Settings:
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise invalid("metadata must map strings to strings.")
    size = sum(len(text.encode("utf-8", "replace")) for item in metadata.items() for text in item)
    if size > MAX_METADATA_BYTES:
        raise invalid(f"The custom metadata has {size} bytes, limit {MAX_METADATA_BYTES}.", "MetadataTooLarge")
    return metadata


def _parsed(text: str) -> datetime:
    return datetime.fromisoformat(text)
