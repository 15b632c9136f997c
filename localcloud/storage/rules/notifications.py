"""Pub/Sub notifications: configurations, and the messages of an event. Pure.

Attributes and payload: https://cloud.google.com/storage/docs/pubsub-notifications
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from localcloud.clock import rfc3339
from localcloud.storage.errors import invalid
from localcloud.storage.model import Message, Object, Settings
from localcloud.storage.rules.resources import object_resource

FINALIZE = "OBJECT_FINALIZE"
DELETE = "OBJECT_DELETE"
ARCHIVE = "OBJECT_ARCHIVE"
METADATA_UPDATE = "OBJECT_METADATA_UPDATE"
EVENT_TYPES = {FINALIZE, DELETE, ARCHIVE, METADATA_UPDATE}
PAYLOAD_FORMATS = {"JSON_API_V1", "NONE"}
MAX_CUSTOM_ATTRIBUTES = 10
_HOST = "//pubsub.googleapis.com/"
_TOPIC = re.compile(r"projects/[^/\s]+/topics/[^/\s]+")


@dataclass(frozen=True, slots=True)
class Event:
    """A change of an object; `related` is the generation that it replaced, or that replaced it."""

    type: str
    object: Object
    time: float
    related: int | None = None


def messages(event: Event, configurations: Iterable[Settings], base: str) -> list[Message]:
    """One message for every configuration that selects the event."""
    return [_message(event, configuration, base) for configuration in configurations if _selects(configuration, event)]


def parse_configuration(body: dict[str, Any], identity: str) -> Settings:
    """The stored form of a configuration; 400 names a malformed field."""
    topic = str(body.get("topic", "")).removeprefix(_HOST)
    if not _TOPIC.fullmatch(topic):
        raise invalid(f"Invalid topic {topic!r}: write {_HOST}projects/PROJECT/topics/TOPIC.")
    payload_format = body.get("payload_format", "JSON_API_V1")
    if not isinstance(payload_format, str) or payload_format not in PAYLOAD_FORMATS:
        raise invalid(f"Invalid payload_format {str(payload_format)[:40]!r}.")
    event_types = body.get("event_types") or []
    if not isinstance(event_types, list) or not EVENT_TYPES.issuperset(map(str, event_types)):
        raise invalid(f"Invalid event_types {event_types!r}.")
    attributes = body.get("custom_attributes") or {}
    if not isinstance(attributes, dict) or len(attributes) > MAX_CUSTOM_ATTRIBUTES:
        raise invalid(f"custom_attributes must be an object of at most {MAX_CUSTOM_ATTRIBUTES} fields.")
    return {
        "id": identity,
        "topic": topic,
        "payload_format": payload_format,
        "event_types": event_types,
        "object_name_prefix": str(body.get("object_name_prefix") or ""),
        "custom_attributes": {str(key): str(value) for key, value in attributes.items()},
    }


def configuration_resource(configuration: Settings, bucket: str, base: str) -> dict[str, Any]:
    """The JSON resource. Google's Python client requires the topic's long form."""
    given = {key: value for key, value in configuration.items() if value}
    link = f"{base}/storage/v1/b/{bucket}/notificationConfigs/{configuration['id']}"
    more = {"kind": "storage#notification", "selfLink": link, "etag": configuration["id"]}
    return given | more | {"topic": _HOST + configuration["topic"]}


def _selects(configuration: Settings, event: Event) -> bool:
    types = configuration["event_types"]
    return (not types or event.type in types) and event.object.name.startswith(configuration["object_name_prefix"])


def _message(event: Event, configuration: Settings, base: str) -> Message:
    stored = event.object
    attributes = {
        **configuration["custom_attributes"],
        "notificationConfig": f"projects/_/buckets/{stored.bucket}/notificationConfigs/{configuration['id']}",
        "eventType": event.type,
        "payloadFormat": configuration["payload_format"],
        "bucketId": stored.bucket,
        "objectId": stored.name,
        "objectGeneration": str(stored.generation),
        "eventTime": rfc3339(event.time),
    }
    if event.related is not None:
        key = "overwroteGeneration" if event.type == FINALIZE else "overwrittenByGeneration"
        attributes[key] = str(event.related)
    data = b""
    if configuration["payload_format"] == "JSON_API_V1":
        data = json.dumps(object_resource(stored, base)).encode()
    return Message(configuration["topic"], data, attributes)
