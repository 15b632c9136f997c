"""Names of buckets and objects (https://cloud.google.com/storage/docs/naming-objects). Pure."""

import re
from urllib.parse import unquote_to_bytes

from localcloud.storage.errors import StorageError, invalid

MAX_OBJECT_NAME_BYTES = 1024
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")


def decode(raw: str) -> str:
    """Percent-decode once; 400 for bytes that are not UTF-8."""
    if "%" not in raw and raw.isascii():
        return raw
    try:
        return unquote_to_bytes(raw.encode("latin-1")).decode()
    except UnicodeError:
        raise invalid("The path is not valid UTF-8.", "InvalidURI") from None


def check_bucket_name(name: str) -> str:
    """The name itself; 400 for a disallowed one."""
    labels = name.split(".")
    fits = len(name) <= 63 if len(labels) == 1 else all(0 < len(label) <= 63 for label in labels)
    if not (_BUCKET.fullmatch(name) and fits) or _ADDRESS.fullmatch(name) or name.startswith("goog"):
        raise invalid(f"Invalid bucket name: {name!r}", "InvalidBucketName")
    return name


def check_object_name(name: object) -> str:
    """The name itself; 400 for a disallowed one."""
    if not isinstance(name, str) or not name:
        raise StorageError(400, "required", "Required parameter: name")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise invalid("The object name is not valid UTF-8.", "InvalidObjectName") from None
    if size > MAX_OBJECT_NAME_BYTES:
        raise invalid(f"The object name has {size} bytes, limit {MAX_OBJECT_NAME_BYTES}.", "KeyTooLongError")
    if name in {".", ".."} or "\r" in name or "\n" in name or name.startswith(".well-known/acme-challenge/"):
        raise invalid(f"Disallowed object name: {name!r}", "InvalidObjectName")
    return name
