"""Buckets and objects as JSON resources: how they are shown, and which fields a client may set. Pure."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from zlib import crc32

from local.clock import rfc3339
from local.storage.errors import invalid, unsupported
from local.storage.model import Bucket, Object, Settings

_OBJECT_TEXTS = (
    "contentType",
    "contentEncoding",
    "contentDisposition",
    "contentLanguage",
    "cacheControl",
    "storageClass",
    "customTime",
)
_BUCKET_FIELDS = (
    "cors",
    "lifecycle",
    "labels",
    "versioning",
    "storageClass",
    "location",
    "iamConfiguration",
    "website",
    "defaultEventBasedHold",
    "softDeletePolicy",
    "rpo",
)
#: What would change the service's behaviour and is not done here. Empty and false values are harmless.
_OBJECT_UNSUPPORTED = ("acl", "temporaryHold", "eventBasedHold", "retention", "kmsKeyName")
_BUCKET_UNSUPPORTED = ("acl", "defaultObjectAcl", "retentionPolicy", "encryption", "logging", "billing")
_MERGED = {"metadata", "labels", "iamConfiguration"}


def object_settings(body: Mapping[str, Any]) -> Settings:
    """The fields of an object resource that a client may set; output-only ones, which clients echo, are dropped."""
    _refuse(body, _OBJECT_UNSUPPORTED)
    settings = {key: body[key] for key in _OBJECT_TEXTS if body.get(key) is not None}
    if not all(isinstance(value, str) for value in settings.values()):
        raise invalid(f"Not text: {', '.join(key for key, value in settings.items() if not isinstance(value, str))}")
    metadata = body.get("metadata")
    if metadata is not None:
        if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
            raise invalid("metadata must map texts to texts.")
        settings["metadata"] = metadata
    return settings


def bucket_settings(body: Mapping[str, Any]) -> Settings:
    """The fields of a bucket resource that a client may set."""
    _refuse(body, _BUCKET_UNSUPPORTED)
    if body.get("hierarchicalNamespace") not in (None, {}, {"enabled": False}):
        raise unsupported("hierarchicalNamespace")
    settings = {key: body[key] for key in _BUCKET_FIELDS if body.get(key) is not None}
    for key in ("location", "storageClass", "rpo"):
        if not isinstance(settings.get(key, ""), str):
            raise invalid(f"{key} must be text.")
    if "location" in settings:
        settings["location"] = settings["location"].upper()
    for key in ("lifecycle", "labels", "versioning", "iamConfiguration"):
        if not isinstance(settings.get(key, {}), dict):
            raise invalid(f"{key} must be an object.")
    cors = settings.get("cors", [])
    if not isinstance(cors, list) or not all(isinstance(rule, dict) for rule in cors):
        raise invalid("cors must be a list of objects.")
    return settings


def patched(current: Settings, patch: Mapping[str, Any]) -> Settings:
    """Merge as PATCH does: null removes a field; metadata and labels are merged by key, all else is replaced."""
    merged = {**current, **patch}
    for key in _MERGED & patch.keys():
        if isinstance(patch[key], dict) and isinstance(current.get(key), dict):
            merged[key] = {**current[key], **patch[key]}
        if isinstance(merged[key], dict):
            merged[key] = {name: value for name, value in merged[key].items() if value is not None} or None
    return {key: value for key, value in merged.items() if value is not None}


def object_resource(stored: Object, base: str) -> dict[str, Any]:
    """The JSON resource; links start with `base`, so that they lead back to whoever asks."""
    path = f"b/{stored.bucket}/o/{quote(stored.name, safe='')}"
    created = rfc3339(stored.created)
    resource = {
        "kind": "storage#object",
        "id": f"{stored.bucket}/{stored.name}/{stored.generation}",
        "selfLink": f"{base}/storage/v1/{path}",
        "mediaLink": f"{base}/download/storage/v1/{path}?generation={stored.generation}&alt=media",
        "name": stored.name,
        "bucket": stored.bucket,
        "generation": str(stored.generation),
        "metageneration": str(stored.metageneration),
        "storageClass": "STANDARD",
        "size": str(stored.size),
        "crc32c": stored.crc32c,
        "etag": etag(stored.generation, stored.metageneration),
        "timeCreated": created,
        "updated": rfc3339(stored.updated),
        "timeStorageClassUpdated": created,
        "timeFinalized": created,
        **stored.settings,
    }
    if stored.md5:
        resource["md5Hash"] = stored.md5
    if stored.components:
        resource["componentCount"] = stored.components
    if stored.deleted is not None:
        resource["timeDeleted"] = rfc3339(stored.deleted)
    return resource


def bucket_resource(bucket: Bucket, base: str) -> dict[str, Any]:
    """The JSON resource of a bucket."""
    return {
        "kind": "storage#bucket",
        "id": bucket.name,
        "selfLink": f"{base}/storage/v1/b/{bucket.name}",
        "projectNumber": project_number(bucket.project),
        "name": bucket.name,
        "timeCreated": rfc3339(bucket.created),
        "updated": rfc3339(bucket.updated),
        "generation": str(int(bucket.created * 1e6)),
        "metageneration": str(bucket.metageneration),
        "etag": etag(0, bucket.metageneration),
        "location": "US-CENTRAL1",
        "locationType": "region",
        "storageClass": "STANDARD",
        **bucket.settings,
        "iamConfiguration": {
            "publicAccessPrevention": "inherited",
            **bucket.settings.get("iamConfiguration", {}),
            "bucketPolicyOnly": {"enabled": True},
            "uniformBucketLevelAccess": {"enabled": True},
        },
    }


def etag(generation: int, metageneration: int) -> str:
    """Both numbers as Google packs them: a protocol buffer in base64."""
    return base64.b64encode(b"\x08" + _varint(generation) + b"\x10" + _varint(metageneration)).decode()


def project_number(project: str) -> str:
    """A number that is always the same for a project id."""
    return project if project.isdecimal() else str(100_000_000_000 + crc32(project.encode("utf-8", "replace")))


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _refuse(body: Mapping[str, Any], fields: tuple[str, ...]) -> None:
    for key in fields:
        if body.get(key):
            raise unsupported(key)
