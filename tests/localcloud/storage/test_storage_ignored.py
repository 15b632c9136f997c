"""Parameters without effect are refused by name, so that 200 means "done"."""

import pytest

from tests.localcloud.storage.world import World

SUBRESOURCES = ["versioning", "retention", "requestPayment", "logging", "encryption", "acl", "website"]


@pytest.mark.parametrize(
    "query",
    [
        *(*SUBRESOURCES, "encoding-type=path", "fetch-owner=true", "list-type=3", "uploads&max-uploads=1"),
        *("versions&list-type=2", "location&prefix=a", "location&encoding-type=url", "generation-marker=1"),
    ],
)
def test_an_unsupported_bucket_parameter_is_refused(world: World, bucket: str, query: str) -> None:
    answer = world.http.get(f"{world.url}/{bucket}?{query}")

    assert answer.status_code == 400
    assert query.rpartition("&")[2].partition("=")[0] in answer.text


@pytest.mark.parametrize("query", [*SUBRESOURCES, "versions", "location", "ifGenerationMatch=7", "response-expires=0"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE"])
def test_an_unsupported_object_parameter_is_refused(world: World, bucket: str, method: str, query: str) -> None:
    world.upload(bucket, "x", b"1")
    answer = world.http.request(method, f"{world.url}/{bucket}/x?{query}")

    assert answer.status_code == 400
    assert method == "HEAD" or query.partition("=")[0] in answer.text
    assert world.names(bucket) == ["x"]


@pytest.mark.parametrize(
    "header",
    [
        "x-goog-encryption-kms-key-name",
        "x-goog-object-lock-mode",
        "x-goog-if-generation-not-match",
        "x-amz-meta-a",
        "x-amz-server-side-encryption",
    ],
)
def test_an_unsupported_header_is_refused(world: World, bucket: str, header: str) -> None:
    answer = world.http.put(f"{world.url}/{bucket}/x", data=b"1", headers={header: "y"})

    assert (answer.status_code, header in answer.text) == (400, True)
    assert world.names(bucket) == []


def test_a_download_ignores_meaningless_parameters(world: World, bucket: str) -> None:
    world.upload(bucket, "app.js", b"1")

    assert world.http.get(f"{world.url}/{bucket}/app.js?v=3&ignoreCache=1").content == b"1"
    assert world.http.put(f"{world.url}/{bucket}/app.js?v=3", data=b"2").status_code == 400


def test_supported_parameters_are_accepted(world: World, bucket: str) -> None:
    generation = world.upload(bucket, "a/x", b"1").json()["generation"]
    lists = [
        "prefix=a/&delimiter=/&marker=a&max-keys=3",
        "list-type=2&start-after=a&continuation-token=",
        "list-type=2&fetch-owner=false&encoding-type=url",
        "uploads",
        "userProject=p",
    ]
    headers = {
        "x-goog-meta-a": "b",
        "x-goog-user-project": "p",
        "x-goog-custom-audit-job": "1",
        "x-amz-date": "20300101T000000Z",
    }
    gets = [f"generation={generation}&response-content-type=a/b", "access_token=x"]

    assert [world.http.get(f"{world.url}/{bucket}?{query}").status_code for query in lists] == [200] * 5
    assert [world.http.get(f"{world.url}/{bucket}/a/x?{query}").status_code for query in gets] == [200] * 2
    assert world.http.put(f"{world.url}/{bucket}/y", data=b"1", headers=headers).status_code == 200


def test_a_filter_of_objects_is_refused(world: World, bucket: str) -> None:
    answer = world.http.get(f"{world.url}/storage/v1/b/{bucket}/o?filter=name%3Dx")

    assert (answer.status_code, "filter" in answer.json()["error"]["message"]) == (400, True)


def test_buckets_are_listed_in_pages(world: World) -> None:
    for name in ("page-a", "page-b", "page-c"):
        world.bucket(name)
    found, token = [], ""
    while True:
        answer = world.http.get(f"{world.url}/storage/v1/b?prefix=page-&maxResults=2&pageToken={token}").json()
        found.append([item["name"] for item in answer["items"]])
        token = answer.get("nextPageToken", "")
        if not token:
            break

    assert found == [["page-a", "page-b"], ["page-c"]]


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_the_location_of_a_bucket_is_fixed(world: World, method: str) -> None:
    url = f"{world.url}/storage/v1/b/{world.bucket(f'placed-{method.lower()}', location='eu')}"
    moved = world.http.request(method, url, json={"location": "US"})
    same = world.http.request(method, url, json={"location": "EU", "labels": {"a": "b"}})
    silent = world.http.request(method, url, json={"labels": {"a": "c"}})

    assert (moved.status_code, "location" in moved.json()["error"]["message"]) == (400, True)
    assert [answer.json()["location"] for answer in (same, silent)] == ["EU", "EU"]
