"""Buckets over the XML API: creation, deletion, location and versions."""

import re
from typing import Any

import pytest

from tests.localcloud.storage.direct import Service, shown, text


def found(document: str, name: str) -> list[str]:
    return re.findall(f"<{name}>([^<]*)</{name}>", document)


def settings(direct: Service, bucket: str) -> dict[str, Any]:
    return shown(direct.call("GET", f"/storage/v1/b/{bucket}"))


def test_a_bucket_is_made_and_deleted(direct: Service) -> None:
    given = "<LocationConstraint>europe-west1</LocationConstraint><StorageClass>NEARLINE</StorageClass>"
    body = f'<CreateBucketConfiguration xmlns="http://doc.s3.amazonaws.com/2006-03-01">{given}</CreateBucketConfiguration>'

    made = direct.call("PUT", "/xml-made", body.encode(), x_goog_project_id="another-project")
    again = direct.call("PUT", "/xml-made", body.encode())
    plain = direct.call("PUT", "/xml-plain")
    shown_as = settings(direct, "xml-made")
    direct.upload("xml-made", "x")
    full = direct.call("DELETE", "/xml-made")
    direct.call("DELETE", "/xml-made/x")
    deleted = direct.call("DELETE", "/xml-made")

    assert (made.status, plain.status, again.status, full.status, deleted.status) == (200, 200, 409, 409, 204)
    assert found(text(again) + text(full), "Code") == ["BucketAlreadyOwnedByYou", "BucketNotEmpty"]
    assert (shown_as["location"], shown_as["storageClass"]) == ("EUROPE-WEST1", "NEARLINE")
    assert shown_as["projectNumber"] != settings(direct, "xml-plain")["projectNumber"]
    assert settings(direct, "xml-plain")["location"] == "US-CENTRAL1"
    assert direct.call("GET", "/xml-made").status == 404


@pytest.mark.parametrize(
    "body",
    [
        "no XML",
        "<Other/>",
        "<?xml version='1.0' encoding='shift_jis'?><CreateBucketConfiguration/>",
        "<?xml version='1.0' encoding='unheard-of'?><CreateBucketConfiguration/>",
        "<CreateBucketConfiguration><LocationConstraint>a b</LocationConstraint></CreateBucketConfiguration>",
        "<CreateBucketConfiguration><StorageClass>FROZEN</StorageClass></CreateBucketConfiguration>",
        "<CreateBucketConfiguration><HierarchicalNamespace><Enabled>true</Enabled></HierarchicalNamespace>"
        "</CreateBucketConfiguration>",
    ],
)
def test_a_bucket_with_an_odd_configuration_is_refused(direct: Service, body: str) -> None:
    assert direct.call("PUT", "/xml-never", body.encode()).status == 400
    assert direct.call("GET", "/xml-never").status == 404


@pytest.mark.parametrize(
    ("method", "url", "headers", "status"),
    [
        ("PUT", "/xml-never?versioning", {}, 400),
        ("PUT", "/xml-never?location", {}, 400),
        ("PUT", "/xml-never", {"x_goog_acl": "public-read"}, 400),
        ("PUT", "/goog-never", {}, 400),
        ("DELETE", "/xml-never", {}, 404),
        ("GET", "/xml-never?location", {}, 404),
        ("GET", "/xml-never?versions", {}, 404),
    ],
)
def test_other_requests_to_a_bucket_are_refused(
    direct: Service, method: str, url: str, headers: dict[str, Any], status: int
) -> None:
    assert direct.call(method, url, **headers).status == status
    assert direct.call("GET", "/xml-never").status == 404


def test_a_bucket_shows_its_location(direct: Service) -> None:
    answer = direct.call("GET", f"/{direct.bucket(location='eu')}?location")

    assert re.search(r"<LocationConstraint[^>]*>EU</LocationConstraint>", text(answer))


def test_versions_are_listed_in_pages(direct: Service) -> None:
    bucket = direct.bucket(versioning={"enabled": True})
    made = [direct.upload(bucket, name)["generation"] for name in ("a", "a", "a", "b/1", "b/2", "c", "c")]
    direct.call("DELETE", f"/{bucket}/c")
    seen, query = [], ""
    while True:
        page = text(direct.call("GET", f"/{bucket}?versions&max-keys=2&delimiter=/{query}"))
        versions = re.findall("<Version>(.*?)</Version>", page)
        seen += [(found(v, "Key")[0], found(v, "Generation")[0], found(v, "IsLatest")[0]) for v in versions]
        seen += [(prefix, "", "") for prefix in re.findall("<CommonPrefixes><Prefix>(.*?)</Prefix>", page)]
        if found(page, "IsTruncated") == ["false"]:
            break
        query = f"&marker={found(page, 'NextMarker')[0]}"
        query += "".join(f"&generation-marker={generation}" for generation in found(page, "NextGenerationMarker"))

    assert seen == [
        ("a", made[0], "false"),
        ("a", made[1], "false"),
        ("a", made[2], "true"),
        ("b/", "", ""),
        ("c", made[5], "false"),
        ("c", made[6], "false"),
    ]


def test_a_list_describes_its_objects(direct: Service) -> None:
    bucket = direct.bucket()
    direct.upload(bucket, "x", b"hello")
    page = text(direct.call("GET", f"/{bucket}"))

    assert (found(page, "ETag"), found(page, "StorageClass")) == (['"5d41402abc4b2a76b9719d911017c592"'], ["STANDARD"])


@pytest.mark.parametrize(
    ("query", "token", "parameter"),
    [
        ("list-type=2&fetch-owner=false", "NextContinuationToken", "continuation-token"),
        ("", "NextMarker", "marker"),
        ("versions", "NextMarker", "marker"),
    ],
)
def test_a_list_encodes_names_on_request(direct: Service, query: str, token: str, parameter: str) -> None:
    """As DuckDB and S3 libraries, such as rclone's, ask for it. Encoded, `~` and `é` are in another order."""
    bucket = direct.bucket()
    for name in ("%7E/1", "%C3%A9%2Bb", "%C3%A9/1", "%C3%A9/2", "%C3%A9c", "%C3%A9d"):
        direct.upload(bucket, name)
    seen, position = [], ""
    for _ in range(3):
        page = text(direct.call("GET", f"/{bucket}?{query}&encoding-type=url&max-keys=2&prefix=&delimiter=/{position}"))
        assert (found(page, "EncodingType"), found(page, "Delimiter")) == (["url"], ["/"])
        seen += re.findall("<(?:Key|CommonPrefixes><Prefix)>([^<]+)", page)
        position = "".join(f"&{parameter}={following}" for following in found(page, token))
    folder = text(direct.call("GET", f"/{bucket}?{query}&encoding-type=url&prefix=%C3%A9/"))

    assert (seen, position) == (["%C3%A9%2Bb", "~/", "%C3%A9c", "%C3%A9/", "%C3%A9d"], "")
    assert (found(folder, "Prefix"), found(folder, "Key")) == (["%C3%A9/"], ["%C3%A9/1", "%C3%A9/2"])


def test_a_request_without_a_bucket_is_refused_by_name(direct: Service) -> None:
    assert "the list of buckets" in text(direct.call("GET", "/"))
