"""What is stored: buckets and the generations of objects."""

from dataclasses import dataclass, field
from typing import Any

Settings = dict[str, Any]
#: The id of a file, or bytes that need none.
Content = str | bytes


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket with all that a client may set on it; `settings` holds fields of the JSON resource."""

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
class Draft:
    """An object about to be committed: its bytes are in their file already, when they need one."""

    bucket: str
    name: str
    content: Content
    size: int
    crc32c: str
    md5: str | None
    settings: Settings
    components: int | None = None


@dataclass(frozen=True, slots=True)
class Object:
    """One generation; `deleted` says since when it is noncurrent, None while it is live.

    `content` is the id of a file, or empty: then the bytes are in a row of their own.
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
