"""Buckets, objects, uploads and messages as plain data: no SQL, no I/O."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

#: Fields of a JSON resource that a client may set.
Settings = dict[str, Any]
#: The id of a content file, or a small content itself.
Content = str | bytes
#: The smallest and the largest size in bytes, both allowed.
LengthRange = tuple[int, int]
#: The project that google-cloud-storage sends under STORAGE_EMULATOR_HOST when none is configured.
NO_PROJECT = frozenset({"", "<none>"})


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket; `settings` holds fields of its JSON resource. Times are seconds since the epoch."""

    name: str
    project: str
    created: float
    updated: float
    metageneration: int = 1
    settings: Settings = field(default_factory=dict)
    policy: Settings = field(default_factory=dict)
    notifications: tuple[Settings, ...] = ()

    @property
    def is_versioned(self) -> bool:
        """Whether overwritten and deleted generations are kept."""
        return bool(self.settings.get("versioning", {}).get("enabled"))


@dataclass(frozen=True, slots=True)
class Object:
    """One generation of an object; `deleted` is the time it became noncurrent, None while it is live.

    `content` is the id of its file; "" for a small content, which is a database row.
    """

    bucket: str
    name: str
    generation: int
    metageneration: int
    created: float
    updated: float
    deleted: float | None
    content: str
    size: int
    crc32c: str
    md5: str | None
    components: int | None
    settings: Settings


@dataclass(frozen=True, slots=True)
class Draft:
    """An object before its commit; a large content is in its file already."""

    bucket: str
    name: str
    content: Content
    size: int
    crc32c: str
    md5: str | None
    settings: Settings
    components: int | None = None


@dataclass(frozen=True, slots=True)
class Conditions:
    """The four preconditions of a request; generation 0 stands for "no live object"."""

    generation: int | None = None
    generation_not: int | None = None
    metageneration: int | None = None
    metageneration_not: int | None = None


NO_CONDITIONS = Conditions()


@dataclass(frozen=True, slots=True)
class Intent:
    """An upload before its bytes: destination, settings, claimed checksums, preconditions and allowed lengths."""

    bucket: str
    name: str
    settings: Settings
    claims: dict[str, str] = field(default_factory=dict)
    conditions: Conditions = NO_CONDITIONS
    lengths: LengthRange | None = None

    def to_json(self) -> dict[str, Any]:
        """The stored form, which `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Intent":
        """Read the stored form."""
        low_high = value["lengths"]
        return cls(
            value["bucket"],
            value["name"],
            value["settings"],
            value["claims"],
            Conditions(**value["conditions"]),
            (low_high[0], low_high[1]) if low_high else None,
        )


@dataclass(frozen=True, slots=True)
class Part:
    """A stored part of a multipart upload."""

    number: int
    content: Content
    size: int
    crc32c: str
    md5: str
    created: float


@dataclass(frozen=True, slots=True)
class MultipartUpload:
    """A multipart upload of the XML API; `finished` is the object that it became."""

    id: str
    created: float
    intent: Intent
    finished: Object | None


@dataclass(frozen=True, slots=True)
class HmacKey:
    """A service account's HMAC key, without its secret: no HMAC signature is verified here.

    `number` counts the states that the key has had.
    """

    id: str
    project: str
    email: str
    state: str
    created: float
    updated: float
    number: int = 1


@dataclass(frozen=True, slots=True)
class Message:
    """A message for Pub/Sub."""

    topic: str
    data: bytes
    attributes: dict[str, str]
