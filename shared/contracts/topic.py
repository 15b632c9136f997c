"""The AsyncAPI document: the notices on the topic `completions`, and the same as webhooks."""

from collections.abc import Mapping

from shared.contracts import notices, nouns
from shared.contracts.schemas import record, ref, relocated, text
from shared.events import STEP_FINISHED
from shared.model import Json

_SCHEMAS = "#/components/schemas/"
_ABOUT = (
    "Sluice publishes a notice when a step of a file ends, and another when the whole file has ended. Pub/Sub delivers at least "
    "once and in any order: a repeat has the same id and the same bytes. Ignore attributes and fields that you do not use."
)
#: Of CloudEvents in JSON: its own names of the attributes that Pub/Sub carries as `ce-<name>`.
_PREFIX = "ce-"


def document() -> Json:
    """The whole document, with all that it refers to."""
    kinds = notices.KINDS.items()
    topic = {name: _message(kind, f"{name}_attributes", name) for kind, (name, _) in kinds}
    posted = {f"{name}_webhook": _message(kind, "webhook_headers", f"{name}_event") for kind, (name, _) in kinds}
    components = {"messages": topic | posted, "schemas": relocated(dict(_schemas()), _SCHEMAS)}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Sluice: notices", "version": "1", "description": _ABOUT, "license": {"name": "Apache-2.0"}},
        "defaultContentType": "application/json",
        "channels": {
            "completions": _channel("completions", "A topic of Pub/Sub, in the binary mode of CloudEvents.", topic),
            "webhook": _channel(None, "The URL of a webhook in pipeline.toml: one POST per notice.", posted)
            | {"bindings": {"http": {}}},
        },
        "operations": {
            "publish_notice": {"action": "send", "channel": {"$ref": "#/channels/completions"}},
            "post_notice": {
                "action": "send",
                "channel": {"$ref": "#/channels/webhook"},
                "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
            },
        },
        "components": components,
    }


def _channel(address: str | None, description: str, messages: Mapping[str, Json]) -> Json:
    found = {name: {"$ref": f"#/components/messages/{name}"} for name in messages}
    return {"address": address, "description": description, "messages": found}


def _message(kind: str, headers: str, payload: str) -> Json:
    is_posted = payload.endswith("_event")
    return {
        "name": kind,
        "title": "A step has ended" if kind == STEP_FINISHED else "A file has ended",
        "contentType": "application/cloudevents+json" if is_posted else "application/json",
        "headers": {"$ref": _SCHEMAS + headers},
        "payload": {"$ref": _SCHEMAS + payload},
    }


def _schemas() -> Mapping[str, Json]:
    of_kinds = dict(notices.KINDS.values())
    attributes = {f"{name}_attributes": notices.attributes(kind) for kind, (name, _) in notices.KINDS.items()}
    events = {f"{name}_event": event(kind) for kind, (name, _) in notices.KINDS.items()}
    return {**of_kinds, **attributes, **events, "webhook_headers": HEADERS, **notices.DEFINITIONS}


def event(kind: str) -> Json:
    """A notice of this kind in the structured mode of CloudEvents: the body of a webhook's request."""
    properties = {name.removeprefix(_PREFIX): schema for name, schema in notices.attributes(kind)["properties"].items()}
    properties["datacontenttype"] = properties.pop("content-type")
    return record("A CloudEvent in structured mode.", {**properties, "data": ref(notices.KINDS[kind][0])})


HEADERS = record(
    "Headers of a webhook's request, as Standard Webhooks specifies them.",
    {
        "webhook-id": text("The event's id, the same in every attempt.", examples=[nouns.A_JOB_ID]),
        "webhook-timestamp": text(
            "Seconds since 1970 of this attempt. Refuse one older than five minutes.", pattern="^[0-9]+$"
        ),
        "webhook-signature": text(
            "HMAC-SHA256 over `<id>.<timestamp>.<body>`; two of them while the secret rotates.",
            pattern="^v1,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=)*$",
        ),
    },
)
