"""HTTP of one push: its request (Pub/Sub: "Receive push messages", "Payload unwrapping") and its response."""

import json
import re
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import aiohttp

from localcloud.protobuf import rfc3339_milliseconds

PROCESSING = 102
#: Statuses that acknowledge the message.
ACCEPTED = frozenset((PROCESSING, 200, 201, 202, 204))

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\x20-\x7e\x80-\U0010ffff]*")


@dataclass(frozen=True, slots=True)
class PushRequest:
    """Headers and body to POST to the endpoint."""

    headers: dict[str, str]
    body: bytes


def push_request(subscription: Any, message: Any, attempt: int, token: str | None) -> PushRequest:
    """The request for a message. It contains `attempt` only if the subscription has a dead-letter policy."""
    headers = {"user-agent": "CloudPubSub-Google"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    counted = attempt if subscription.HasField("dead_letter_policy") else None
    if not subscription.push_config.HasField("no_wrapper"):
        body = json.dumps(_envelope(subscription.name, message, counted)).encode()
        return PushRequest(headers | {"content-type": "application/json"}, body)
    if subscription.push_config.no_wrapper.write_metadata:
        headers |= _metadata(subscription.name, message, counted)
    return PushRequest({"content-type": "application/octet-stream"} | headers, message.data)


def _envelope(subscription: str, message: Any, attempt: int | None) -> dict[str, Any]:
    published = rfc3339_milliseconds(message.publish_time)
    content: dict[str, Any] = {"attributes": dict(message.attributes)} if message.attributes else {}
    if message.data:
        content["data"] = b64encode(message.data).decode()
    content |= {"messageId": message.message_id, "message_id": message.message_id}
    if message.ordering_key:
        content["orderingKey"] = message.ordering_key
    content |= {"publishTime": published, "publish_time": published}
    envelope: dict[str, Any] = {"deliveryAttempt": attempt} if attempt is not None else {}
    return envelope | {"message": content, "subscription": subscription}


def _metadata(subscription: str, message: Any, attempt: int | None) -> dict[str, str]:
    headers = {
        "x-goog-pubsub-subscription-name": subscription,
        "x-goog-pubsub-message-id": message.message_id,
        "x-goog-pubsub-publish-time": rfc3339_milliseconds(message.publish_time),
    }
    if message.ordering_key:
        headers["x-goog-pubsub-ordering-key"] = message.ordering_key
    if attempt is not None:
        headers["x-goog-pubsub-delivery-attempt"] = str(attempt)
    for key, value in message.attributes.items():
        if _HEADER_NAME.fullmatch(key) and _HEADER_VALUE.fullmatch(value):
            headers.setdefault(key.lower(), value)
    return headers


class Processing(Exception):
    """The endpoint answered 102. Nothing else of its response matters."""


class PushResponse(aiohttp.ClientResponse):
    """Raises `Processing` at a 102, which acknowledges the message. aiohttp alone would wait for a final status."""

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        """Read status and headers. Raises `Processing`."""
        return await super().start(_Watched(connection))  # type: ignore[arg-type]


class _Watched:
    """A proxy for a connection or its protocol that watches its reads for a 102."""

    def __init__(self, watched: Any) -> None:
        self._watched = watched

    def __getattr__(self, name: str) -> Any:
        return getattr(self._watched, name)

    @property
    def protocol(self) -> Any:
        """The connection's protocol, watched as well."""
        return _Watched(self._watched.protocol)

    async def read(self) -> Any:
        """The next head and body. Raises `Processing`."""
        message, payload = await self._watched.read()
        if message.code == PROCESSING:
            raise Processing
        return message, payload
