"""Odd values in any field of a body are accepted or refused; an accepted one breaks nothing later."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.localcloud.odd import shares, variants
from tests.localcloud.storage.direct import Service, run

_BUCKET = {
    "acl": [],
    "autoclass": {"enabled": False},
    "cors": [{"origin": ["*"], "method": ["GET"], "responseHeader": ["a"], "maxAgeSeconds": 1}],
    "defaultObjectAcl": [],
    "hierarchicalNamespace": {"enabled": False},
    "iamConfiguration": {"publicAccessPrevention": "inherited", "uniformBucketLevelAccess": {"enabled": True}},
    "labels": {"a": "b"},
    "lifecycle": {
        "rule": [
            {"action": {"type": "SetStorageClass", "storageClass": "ARCHIVE"}, "condition": {"age": 1, "isLive": True}},
            {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 1, "matchesPrefix": ["a"]}},
            {
                "action": {"type": "Delete"},
                "condition": {"customTimeBefore": "2027-01-10", "matchesStorageClass": ["NEARLINE"]},
            },
        ]
    },
    "location": "US-CENTRAL1",
    "rpo": "DEFAULT",
    "softDeletePolicy": {"retentionDurationSeconds": 0},
    "storageClass": "STANDARD",
    "versioning": {"enabled": False},
}
_OBJECT = {
    "acl": [],
    "cacheControl": "no-store",
    "contentType": "text/plain",
    "customTime": "2030-01-02T03:04:05Z",
    "metadata": {"a": "b"},
    "storageClass": "STANDARD",
    "temporaryHold": False,
}
_CONDITION = {"title": "t", "expression": "true"}
_POLICY = {"version": 3, "etag": "", "bindings": [{"role": "r", "members": ["allUsers"], "condition": _CONDITION}]}
_NOTIFICATION = {
    "topic": "projects/p/topics/t",
    "payload_format": "NONE",
    "event_types": ["OBJECT_FINALIZE"],
    "object_name_prefix": "a",
    "custom_attributes": {"a": "b"},
}
_SOURCES = [{"name": "x", "generation": 1, "objectPreconditions": {"ifGenerationMatch": 1}}]
_COMPOSE = {"destination": _OBJECT, "sourceObjects": _SOURCES, "deleteSourceObjects": False}


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


@shares
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/storage/v1/b", {"name": "other", **_BUCKET}),
        ("PATCH", "/storage/v1/b/{}", _BUCKET),
        ("PUT", "/storage/v1/b/{}", _BUCKET),
        ("PUT", "/storage/v1/b/{}/iam", _POLICY),
        ("POST", "/storage/v1/b/{}/notificationConfigs", _NOTIFICATION),
        ("PATCH", "/storage/v1/b/{}/o/x", _OBJECT),
        ("PUT", "/storage/v1/b/{}/o/x", _OBJECT),
        ("POST", "/storage/v1/b/{}/o/y/compose", _COMPOSE),
        ("POST", "/storage/v1/b/{}/o/x/copyTo/b/{}/o/z", _OBJECT),
        ("POST", "/storage/v1/b/{}/o/x/rewriteTo/b/{}/o/z", _OBJECT),
        ("POST", "/upload/storage/v1/b/{}/o?uploadType=resumable", {"name": "y", **_OBJECT}),
    ],
)
def test_no_body_causes_a_server_error_now_or_later(service: Service, method: str, path: str, body: Any, one_in: int) -> None:
    bucket = service.bucket()
    prevention = {"iamConfiguration": {"publicAccessPrevention": "enforced"}}
    service.call("PATCH", f"/storage/v1/b/{bucket}", json.dumps(prevention).encode())
    for variant in variants(body, one_in):
        service.call("POST", f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name=x", b"1")

        assert service.call(method, path.format(bucket, bucket), json.dumps(variant).encode()).status < 500
        for place in ("", "/o", "/iam?optionsRequestedPolicyVersion=3", "/notificationConfigs"):
            assert service.call("GET", f"/storage/v1/b/{bucket}{place}").status == 200
        run(service.storage.upkeep.round())
        service.call("DELETE", "/storage/v1/b/other")
