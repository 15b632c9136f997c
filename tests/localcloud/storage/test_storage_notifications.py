"""Notifications: which topic gets which event, and that none is lost."""

import pytest

from tests.localcloud.storage.world import TOPIC, World


def test_a_new_object_is_announced_with_google_s_attributes(world: World, bucket: str) -> None:
    identity = world.notify(bucket, custom_attributes={"who": "me"})
    shown = world.upload(bucket, "a", b"1").json()

    [(attributes, payload)] = world.events(bucket, 1)

    assert attributes == {
        "who": "me",
        "notificationConfig": f"projects/_/buckets/{bucket}/notificationConfigs/{identity}",
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": bucket,
        "objectId": "a",
        "objectGeneration": shown["generation"],
        "eventTime": shown["updated"],
    }
    assert payload == shown


def test_overwriting_names_both_generations(world: World, bucket: str) -> None:
    first = world.upload(bucket, "a", b"1").json()["generation"]
    world.notify(bucket)
    second = world.upload(bucket, "a", b"2").json()["generation"]

    events = {attributes["eventType"]: attributes for attributes, _ in world.events(bucket, 2)}

    assert events["OBJECT_FINALIZE"]["overwroteGeneration"] == first
    assert events["OBJECT_DELETE"]["objectGeneration"] == first
    assert events["OBJECT_DELETE"]["overwrittenByGeneration"] == second


def test_a_move_announces_both_names(world: World, bucket: str) -> None:
    old = world.upload(bucket, "a", b"1").json()["generation"]
    world.notify(bucket)
    new = world.http.post(world.object_url(bucket, "a", "/moveTo/o/b")).json()["generation"]

    events = {attributes["eventType"]: attributes for attributes, _ in world.events(bucket, 2)}

    found = {kind: (attributes["objectId"], attributes["objectGeneration"]) for kind, attributes in events.items()}
    assert found == {"OBJECT_FINALIZE": ("b", new), "OBJECT_DELETE": ("a", old)}


def test_a_versioned_bucket_archives(world: World, bucket: str) -> None:
    world.http.patch(f"{world.url}/storage/v1/b/{bucket}", json={"versioning": {"enabled": True}})
    world.notify(bucket, event_types=["OBJECT_ARCHIVE", "OBJECT_DELETE"], payload_format="NONE")
    generation = world.upload(bucket, "a", b"1").json()["generation"]
    world.http.delete(world.object_url(bucket, "a"))
    world.http.delete(world.object_url(bucket, "a", f"?generation={generation}"))

    events = world.events(bucket, 2)

    assert [attributes["eventType"] for attributes, _ in events] == ["OBJECT_ARCHIVE", "OBJECT_DELETE"]
    assert [payload for _, payload in events] == [{}, {}]


def test_only_selected_events_are_announced(world: World, bucket: str) -> None:
    world.notify(bucket, object_name_prefix="in/", event_types=["OBJECT_METADATA_UPDATE"])
    world.upload(bucket, "in/a", b"1")
    world.upload(bucket, "out/a", b"1")
    world.http.patch(world.object_url(bucket, "out/a"), json={"metadata": {"a": "1"}})
    world.http.patch(world.object_url(bucket, "in/a"), json={"metadata": {"a": "1"}})

    [(attributes, payload)] = world.events(bucket, 1)

    assert (attributes["eventType"], attributes["objectId"]) == ("OBJECT_METADATA_UPDATE", "in/a")
    assert payload["metageneration"] == "2"


def test_a_missing_topic_delays_a_notification_but_loses_none(world: World, bucket: str) -> None:
    late, other = "projects/local-project/topics/late", f"{bucket}-other"
    world.notify(bucket, topic=late)
    world.bucket(other)
    world.notify(other)
    world.upload(bucket, "a", b"1")
    world.upload(other, "a", b"1")
    world.events(other, 1)
    world.topics.add(late)

    assert world.events(bucket, 1)[0][0]["objectId"] == "a"
    assert TOPIC in world.topics


def test_a_refused_upload_announces_nothing(world: World, bucket: str) -> None:
    world.notify(bucket)
    world.upload(bucket, "a", b"1")
    world.upload(bucket, "a", b"2", "&ifGenerationMatch=0")
    world.upload(bucket, "b", b"3")

    assert [attributes["objectId"] for attributes, _ in world.events(bucket, 2)] == ["a", "b"]


@pytest.mark.parametrize(
    "fields", [{"topic": "uploads"}, {"event_types": ["NEW"]}, {"payload_format": "XML"}, {"custom_attributes": [1]}]
)
def test_a_malformed_configuration_is_refused(world: World, bucket: str, fields: dict[str, object]) -> None:
    body = {"topic": TOPIC, **fields}

    assert world.http.post(f"{world.url}/storage/v1/b/{bucket}/notificationConfigs", json=body).status_code == 400


def test_configurations_are_listed_shown_and_deleted(world: World, bucket: str) -> None:
    url = f"{world.url}/storage/v1/b/{bucket}/notificationConfigs"
    identity = world.notify(bucket)

    shown = world.http.get(f"{url}/{identity}").json()

    assert shown["topic"] == f"//pubsub.googleapis.com/{TOPIC}"
    assert world.http.get(url).json()["items"] == [shown]
    assert world.http.delete(f"{url}/{identity}").status_code == 204
    assert world.http.get(f"{url}/{identity}").status_code == 404
