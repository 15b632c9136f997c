"""Topics: checks of create and update requests (google/pubsub/v1/pubsub.proto, message Topic)."""

from typing import Any

from localcloud.errors import ApiError
from localcloud.protobuf import copy, seconds
from localcloud.pubsub.messages import TOPIC_ACTIVE
from localcloud.pubsub.rules import masks, names

MAX_RETENTION_SECONDS = 31 * 86_400

MUTABLE = ("labels", "message_storage_policy", "kms_key_name", "schema_settings", "message_retention_duration")
UNSUPPORTED = (
    "message_storage_policy",
    "kms_key_name",
    "schema_settings",
    "ingestion_data_source_settings",
    "message_transforms",
    "tags",
)


def new(given: Any) -> Any:
    """The topic to create from a request. Raises INVALID_ARGUMENT or UNIMPLEMENTED."""
    names.check(given.name, "topics")
    topic = copy(given)
    topic.ClearField("satisfies_pzs")
    topic.state = TOPIC_ACTIVE
    _check(topic)
    return topic


def updated(stored: Any, request: Any) -> Any:
    """The topic after an UpdateTopicRequest. Raises INVALID_ARGUMENT or UNIMPLEMENTED."""
    topic = masks.merged(stored, request.topic, request.update_mask, MUTABLE)
    _check(topic)
    return topic


def _check(topic: Any) -> None:
    masks.refuse_unsupported(topic, UNSUPPORTED)
    names.check_labels(topic.labels)
    retention = seconds(topic.message_retention_duration)
    if topic.HasField("message_retention_duration") and not 600 <= retention <= MAX_RETENTION_SECONDS:
        message = "Invalid message_retention_duration given: it must be between 10 minutes and 31 days."
        raise ApiError("INVALID_ARGUMENT", message)
