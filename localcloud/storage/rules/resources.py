"""Buckets and objects as JSON resources. Pure."""

import base64
from typing import Any
from urllib.parse import quote
from zlib import crc32

from localcloud.clock import rfc3339
from localcloud.storage.model import Bucket, Object
from localcloud.storage.rules.locations import DEFAULT_LOCATION, location_type


def object_resource(stored: Object, base: str) -> dict[str, Any]:
    """The JSON resource of an object; `base` is scheme and host of its links."""
    # `quote` takes a text of safe characters whole; with `safe=""`, a slash would make it take each by itself.
    path = f"b/{stored.bucket}/o/" + quote(stored.name).replace("/", "%2F")
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
        "updated": created if stored.updated == stored.created else rfc3339(stored.updated),
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
    """The JSON resource of a bucket; `base` is scheme and host of its links."""
    location = bucket.settings.get("location", DEFAULT_LOCATION)
    kind = location_type(location)
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
        "location": location,
        "locationType": kind,
        "storageClass": "STANDARD",
        **({} if kind == "region" else {"rpo": "DEFAULT"}),
        **bucket.settings,
        "iamConfiguration": {
            "publicAccessPrevention": "inherited",
            **bucket.settings.get("iamConfiguration", {}),
            "bucketPolicyOnly": {"enabled": True},
            "uniformBucketLevelAccess": {"enabled": True},
        },
    }


def etag(generation: int, metageneration: int) -> str:
    """Both numbers in Google's encoding: a protocol buffer in base64."""
    return base64.b64encode(b"\x08" + _varint(generation) + b"\x10" + _varint(metageneration)).decode()


def project_number(project: str) -> str:
    """A stable number for a project id."""
    return project if project.isdecimal() else str(100_000_000_000 + crc32(project.encode("utf-8", "replace")))


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
