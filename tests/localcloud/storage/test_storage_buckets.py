"""Settings of buckets: each takes effect, or is refused by name."""

from typing import Any

import pytest

from tests.localcloud.storage.world import World


def change(world: World, bucket: str, body: dict[str, Any]) -> Any:
    return world.http.patch(f"{world.url}/storage/v1/b/{bucket}", json=body)


@pytest.mark.parametrize(
    "body",
    [
        {"website": {"mainPageSuffix": "index.html"}},
        {"softDeletePolicy": {"retentionDurationSeconds": "604800"}},
        {"rpo": "ASYNC_TURBO"},
        {"defaultEventBasedHold": True},
        {"retentionPolicy": {"retentionPeriod": "10"}},
        {"autoclass": {"enabled": True}},
        {"billing": {"requesterPays": True}},
        {"iamConfiguration": {"uniformBucketLevelAccess": {"enabled": False}}},
        {"iamConfiguration": {"publicAccessPrevention": "sometimes"}},
        {"hierarchicalNamespace": {"enabled": True}},
        {"storageClass": "FROZEN"},
        {"location": "here, there"},
        {"labels": {"Capital": "x"}},
        {"cors": [{"origin": "*"}]},
        {"versioning": {"enabled": "yes"}},
        {"lifecycle": {"rule": [{"action": {"type": "Explode"}, "condition": {"age": 1}}]}},
        {"lifecycle": {"rule": [{"action": {"type": "Delete"}, "condition": {"age": -1}}]}},
        {"lifecycle": {"rule": [{"action": {"type": "Delete"}, "condition": {"mood": 1}}]}},
        {"lifecycle": {"rule": [{"action": {"type": "Delete"}, "condition": {}}]}},
    ],
)
def test_a_setting_without_effect_is_refused(world: World, bucket: str, body: dict[str, Any]) -> None:
    before = world.http.get(f"{world.url}/storage/v1/b/{bucket}").json()
    reply = change(world, bucket, body)
    made = world.http.post(f"{world.url}/storage/v1/b", json={"name": "never-made", **body})

    assert (reply.status_code, made.status_code) == (400, 400)
    assert world.http.get(f"{world.url}/storage/v1/b/{bucket}").json() == before


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"location": "us-east1+us-east4"}, "The specified location constraint is not valid"),
        ({"iamConfiguration": {"publicAccessPrevention": "sometimes"}}, "sometimes is not a valid value"),
    ],
)
def test_some_refusals_are_worded_as_gsutil_s_tests_expect(world: World, body: dict[str, Any], message: str) -> None:
    made = world.http.post(f"{world.url}/storage/v1/b", json={"name": "never-made", **body})

    assert (made.status_code, message in made.text) == (400, True)


def test_clients_may_echo_the_whole_resource(world: World, bucket: str) -> None:
    shown = world.http.get(f"{world.url}/storage/v1/b/{bucket}").json()
    harmless: dict[str, Any] = {
        "softDeletePolicy": {"retentionDurationSeconds": "0"},
        "rpo": "DEFAULT",
        "acl": [],
        "autoclass": None,
    }

    assert world.http.put(f"{world.url}/storage/v1/b/{bucket}", json=shown | harmless).status_code == 200


@pytest.mark.parametrize(("location", "rpo"), [("us-central1", None), ("eu", "DEFAULT"), ("nam4", "DEFAULT")])
def test_accepted_switches_are_shown(world: World, location: str, rpo: str | None) -> None:
    plain = world.bucket(f"switches-{location}", location=location)
    given = world.bucket(
        f"switches-given-{location}", location=location, rpo="DEFAULT", hierarchicalNamespace={"enabled": False}
    )

    shown = world.http.get(f"{world.url}/storage/v1/b/{plain}").json()
    assert (shown.get("rpo"), shown.get("hierarchicalNamespace")) == (rpo, None)
    shown = world.http.get(f"{world.url}/storage/v1/b/{given}").json()
    assert (shown["rpo"], shown["hierarchicalNamespace"]) == ("DEFAULT", {"enabled": False})


def test_the_default_storage_class_is_the_bucket_s(world: World, bucket: str) -> None:
    change(world, bucket, {"storageClass": "nearline"})
    world.upload(bucket, "x", b"1")
    rewrite = world.object_url(bucket, "x", f"/rewriteTo/b/{bucket}/o/y")
    copy = world.http.post(rewrite, json={"storageClass": "ARCHIVE"}).json()["resource"]
    shown = world.http.get(world.object_url(bucket, "x")).json()
    echo = world.http.patch(world.object_url(bucket, "x"), json=shown | {"cacheControl": "no-store"})
    other = world.http.patch(world.object_url(bucket, "x"), json={"storageClass": "STANDARD"})

    assert (shown["storageClass"], copy["storageClass"]) == ("NEARLINE", "ARCHIVE")
    assert (echo.status_code, other.status_code) == (200, 400)


def test_empty_settings_are_removed(world: World, bucket: str) -> None:
    change(world, bucket, {"cors": [{"origin": ["*"], "method": ["GET"]}], "labels": {"a": "b", "c": "d"}})
    changed = change(world, bucket, {"cors": [], "labels": {"a": None}, "lifecycle": {"rule": []}}).json()

    assert "cors" not in changed
    assert "lifecycle" not in changed
    assert changed["labels"] == {"c": "d"}


def test_public_access_prevention_refuses_public_policies(world: World, bucket: str) -> None:
    change(world, bucket, {"iamConfiguration": {"publicAccessPrevention": "enforced"}})
    policy = {"bindings": [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]}

    assert world.http.put(f"{world.url}/storage/v1/b/{bucket}/iam", json=policy).status_code == 412


@pytest.mark.parametrize("acl", ["publicRead", "authenticatedRead", "publicReadWrite"])
def test_a_public_acl_is_refused(world: World, bucket: str, acl: str) -> None:
    reply = world.upload(bucket, "x", b"1", f"&predefinedAcl={acl}")

    assert (reply.status_code, "predefinedAcl" in reply.text) == (400, True)
    assert world.upload(bucket, "x", b"1", "&predefinedAcl=projectPrivate").status_code == 200


@pytest.mark.parametrize("query", ["kmsKeyName=projects/p/keys/k", "enableObjectRetention=True", "softDeleted=true"])
def test_a_parameter_without_effect_is_refused(world: World, bucket: str, query: str) -> None:
    assert world.http.get(f"{world.url}/storage/v1/b/{bucket}/o?{query}").status_code == 400
