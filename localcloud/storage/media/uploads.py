"""Uploads: bytes stream to disk, checksums are compared, and only a whole body becomes an object."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.storage.data.contents import Sink
from localcloud.storage.data.store import Store
from localcloud.storage.http import Request
from localcloud.storage.media import checksums
from localcloud.storage.media.ranges import LengthRange, check_length
from localcloud.storage.model import Content, Draft, Object, Settings
from localcloud.storage.rules.conditions import NONE, Conditions
from localcloud.storage.rules.header_fields import DEFAULT_TYPE
from localcloud.storage.rules.names import check_object_name
from localcloud.storage.rules.objects import object_settings


@dataclass(frozen=True, slots=True)
class Intent:
    """All that is known of an upload before its bytes: where to, what about it, and on what terms."""

    bucket: str
    name: str
    settings: Settings
    claims: dict[str, str] = field(default_factory=dict)
    conditions: Conditions = NONE
    lengths: LengthRange | None = None

    def to_json(self) -> dict[str, Any]:
        """A form that survives a restart."""
        fields = {"bucket": self.bucket, "name": self.name, "settings": self.settings, "claims": self.claims}
        return fields | {"conditions": self.conditions.to_json(), "lengths": self.lengths}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Intent":
        """Reads `to_json`."""
        lengths = value["lengths"]
        return cls(
            value["bucket"],
            value["name"],
            value["settings"],
            value["claims"],
            Conditions(**value["conditions"]),
            (lengths[0], lengths[1]) if lengths else None,
        )


def json_intent(request: Request, bucket: str, body: Mapping[str, Any], media_type: str | None) -> Intent:
    """What a JSON API upload intends: the query's name and conditions, the resource's fields and checksums."""
    settings = object_settings(body)
    if encoding := request.query.get("contentEncoding"):
        settings.setdefault("contentEncoding", encoding)
    settings.setdefault("contentType", media_type or DEFAULT_TYPE)
    claims = checksums.claims(request.headers)
    claims |= {kind: str(body[key]) for kind, key in (("crc32c", "crc32c"), ("md5", "md5Hash")) if body.get(key)}
    name = check_object_name(request.query.get("name") or body.get("name"))
    return Intent(bucket, name, settings, claims, Conditions.from_query(request.query))


async def store_upload(store: Store, intent: Intent, media: AsyncIterator[bytes], base: str) -> Object:
    """Receive the bytes and make the object, or leave nothing behind."""
    sink = await receive(store, media, lambda received: check_received(intent, received), intent.lengths)
    return store.put(draft(intent, sink.content, sink.checksums), intent.conditions, base)


async def receive(
    store: Store,
    media: AsyncIterator[bytes],
    check: Callable[[checksums.Checksums], None],
    lengths: LengthRange | None = None,
) -> Sink:
    """Write a body to a content of its own; nothing is left of one that breaks off or that `check` refuses."""
    sink = store.contents.new()
    try:
        async for chunk in media:
            sink.write(chunk)
            if lengths:
                check_length(sink.checksums.size, lengths, complete=False)
        check(sink.checksums)
    except BaseException:
        sink.close()
        store.contents.remove([sink.content])
        raise
    sink.close()
    return sink


def check_received(intent: Intent, received: checksums.Checksums) -> None:
    """400 when the whole body has the wrong length or the wrong checksum."""
    check_length(received.size, intent.lengths)
    checksums.check(intent.claims, received)


def draft(intent: Intent, content: Content, received: checksums.Checksums) -> Draft:
    """The object-to-be of a received body."""
    return Draft(intent.bucket, intent.name, content, received.size, received.crc32c, received.md5, intent.settings)
