"""Partial responses: `fields` selects a part of each JSON answer."""

import json
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from localcloud.storage.routes import JSON_API
from localcloud.storage.rules.fields import answer_fields, parse_mask, select
from tests.localcloud.storage.direct import Service, shown

VALUE = {"kind": "list", "items": [{"name": "a", "tags": {"x": 1, "y": 2}}, {"name": "b"}], "next": "t"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("kind", {"kind": "list"}),
        ("kind,next", {"kind": "list", "next": "t"}),
        ("items/name", {"items": [{"name": "a"}, {"name": "b"}]}),
        ("items(name)", {"items": [{"name": "a"}, {"name": "b"}]}),
        ("items(tags/x),kind", {"items": [{"tags": {"x": 1}}, {}], "kind": "list"}),
        ("items/tags(x,y)", {"items": [{"tags": {"x": 1, "y": 2}}, {}]}),
        ("items/*/y", {"items": [{"name": "a", "tags": {"y": 2}}, {"name": "b"}]}),
        ("items/name,items/tags/y", {"items": [{"name": "a", "tags": {"y": 2}}, {"name": "b"}]}),
        ("items/name,items", {"items": VALUE["items"]}),
        ("items,items/name", {"items": VALUE["items"]}),
        ("*", VALUE),
        ("missing", {}),
    ],
)
def test_a_mask_selects_fields(fields: str, expected: Any) -> None:
    assert select(VALUE, parse_mask(fields)) == expected


@pytest.mark.parametrize(
    "fields", ["nosuch", "name,nosuch", "name(", "name)", "(name)", "name,", ",", "a//b", "name/x", "metadata/a/b", "(" * 5000]
)
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_bad_field_is_refused_and_changes_nothing(direct: Service, method: str, fields: str) -> None:
    bucket = direct.bucket()
    put(direct, bucket)
    url = f"/storage/v1/b/{bucket}/o/x"

    answer = direct.call(method, f"{url}?fields={fields}", b'{"cacheControl": "no-store"}')

    assert (answer.status, shown(answer)["error"]["errors"][0]["reason"]) == (400, "invalidParameter")
    assert shown(answer)["error"]["message"].startswith("Invalid field selection ")
    assert shown(direct.call("GET", url))["metageneration"] == "1"


def test_a_long_mask_is_read_fast() -> None:
    begun = time.process_time()

    assert parse_mask("name," * 200_000 + "size") == {"name": {}, "size": {}}
    assert time.process_time() - begun < 5


def test_every_method_answers_in_part(direct: Service) -> None:
    bucket = direct.bucket()
    made = put(direct, bucket, "&fields=name,size")
    base = f"/storage/v1/b/{bucket}"
    configured = {"topic": "projects/local-project/topics/t"}

    def ask(method: str, path: str, fields: str, body: Any = None) -> dict[str, Any]:
        url = f"{base}{path}{'&' if '?' in path else '?'}fields={fields}"
        return shown(direct.call(method, url, json.dumps(body or {}).encode()))

    assert made == {"name": "x", "size": "1"}
    assert ask("GET", "", "name,iamConfiguration/publicAccessPrevention") == {
        "name": bucket,
        "iamConfiguration": {"publicAccessPrevention": "inherited"},
    }
    assert ask("PATCH", "", "labels/a", {"labels": {"a": "b", "c": "d"}}) == {"labels": {"a": "b"}}
    assert ask("GET", "/o", "items/name") == {"items": [{"name": "x"}]}
    assert ask("GET", "/o?delimiter=/", "nextPageToken,prefixes") == {}
    assert ask("GET", "/o/x", "metadata/a,size") == {"size": "1"}
    assert ask("PATCH", "/o/x", "metadata/a", {"metadata": {"a": "b", "c": "d"}}) == {"metadata": {"a": "b"}}
    assert ask("POST", f"/o/x/rewriteTo/b/{bucket}/o/y", "done,resource(name)") == {"done": True, "resource": {"name": "y"}}
    assert ask("POST", "/o/z/compose", "componentCount", {"sourceObjects": [{"name": "x"}]}) == {"componentCount": 1}
    assert ask("GET", "/iam", "version") == {"version": 1}
    assert ask("POST", "/notificationConfigs", "id", configured) == {"id": "1"}
    assert ask("GET", "/notificationConfigs", "items(payload_format)") == {"items": [{"payload_format": "JSON_API_V1"}]}
    assert direct.read(bucket, "x", "&fields=nosuch") == b"1"
    assert ask("GET", "/o/missing", "name")["error"]["code"] == 404


def test_a_bucket_with_uniform_access_shows_no_acl(direct: Service) -> None:
    bucket = direct.bucket()
    put(direct, bucket)

    assert shown(direct.call("GET", f"/storage/v1/b/{bucket}/o/x?projection=full&fields=acl")) == {}
    assert shown(direct.call("GET", f"/storage/v1/b/{bucket}?fields=acl,defaultObjectAcl,name")) == {"name": bucket}


def test_a_session_keeps_the_fields_of_its_start(direct: Service) -> None:
    bucket = direct.bucket()
    started = direct.call("POST", f"/upload/storage/v1/b/{bucket}/o?uploadType=resumable&name=x&fields=name,size", b"{}")
    location = urlsplit(dict(started.headers)[b"location"].decode())

    done = direct.call("PUT", f"{location.path}?{location.query}", b"hello")

    assert shown(done) == {"name": "x", "size": "5"}


def test_all_fields_of_each_answer_can_be_selected(direct: Service) -> None:
    bucket = direct.bucket()
    put(direct, bucket)
    for operation, path in (
        ("buckets.get", ""),
        ("objects.get", "/o/x"),
        ("objects.list", "/o"),
        ("buckets.getIamPolicy", "/iam"),
        ("buckets.getStorageLayout", "/storageLayout"),
    ):
        whole = shown(direct.call("GET", f"/storage/v1/b/{bucket}{path}"))

        assert select(whole, answer_fields(operation)) == whole


def test_the_answer_of_every_operation_is_described() -> None:
    assert all(answer_fields(operation) for operation, _ in JSON_API.values())


def put(direct: Service, bucket: str, query: str = "") -> dict[str, Any]:
    return shown(direct.call("POST", f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name=x{query}", b"1"))
