"""What an upload's headers (or a form's fields, which have the same names) say about the object. Pure."""

from collections.abc import Mapping

from localcloud.storage.model import Settings
from localcloud.storage.rules.objects import object_settings

DEFAULT_TYPE = "application/octet-stream"
_META = "x-goog-meta-"
_FIELDS = {
    "content-type": "contentType",
    "content-encoding": "contentEncoding",
    "content-disposition": "contentDisposition",
    "content-language": "contentLanguage",
    "cache-control": "cacheControl",
    "x-goog-storage-class": "storageClass",
    "x-goog-custom-time": "customTime",
}


def settings_of(headers: Mapping[str, str]) -> Settings:
    """The object's settings."""
    given: Settings = {field: headers[header] for header, field in _FIELDS.items() if header in headers}
    metadata = {key[len(_META) :]: value for key, value in headers.items() if key.startswith(_META)}
    if metadata:
        given["metadata"] = metadata
    given.setdefault("contentType", DEFAULT_TYPE)
    return object_settings(given)
