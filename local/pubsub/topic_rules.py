"""What a topic may look like."""

from typing import Any

from local.pubsub import masks, names
from local.pubsub.messages import TOPIC_ACTIVE, copy

MUTABLE = ("labels", "message_storage_policy", "kms_key_name", "schema_settings", "message_retention_duration")
UNSUPPORTED = (
    "message_storage_policy",
    "kms_key_name",
    "schema_settings",
    "message_retention_duration",
    "ingestion_data_source_settings",
    "message_transforms",
    "tags",
)


def new(given: Any) -> Any:
    """The topic to create from a request; raises INVALID_ARGUMENT or UNIMPLEMENTED."""
    names.check(given.name, "topics")
    masks.refuse_unsupported(given, UNSUPPORTED)
    topic = copy(given)
    topic.ClearField("satisfies_pzs")
    topic.state = TOPIC_ACTIVE
    return topic


def updated(stored: Any, request: Any) -> Any:
    """The topic after an UpdateTopicRequest."""
    topic = masks.merged(stored, request.topic, request.update_mask, MUTABLE)
    masks.refuse_unsupported(topic, UNSUPPORTED)
    return topic
