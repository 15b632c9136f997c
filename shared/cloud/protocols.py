"""What the pipeline asks of a cloud, in its own words. The adapters beside this file answer; so do the fakes in the tests."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shared.errors import Conflict, NotFound
from shared.events import Notice
from shared.identity import Certificates
from shared.model import Task
from shared.routes import Routes
from shared.settings import Settings


class AlreadyExists(Conflict):
    """There is an object of this name; create-only writes never touch it."""

    code = "already_exists"


class NoSuchObject(NotFound):
    """There is no object of this name and generation."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a bucket says of one generation of an object. `size` is in bytes, `crc32c` base64, `updated` RFC 3339."""

    name: str
    generation: int
    size: int
    content_type: str
    crc32c: str
    updated: str = ""


@dataclass(frozen=True, slots=True)
class Permission:
    """A signed URL, and the headers that must be sent with it exactly."""

    method: str
    url: str
    headers: Mapping[str, str]


class Bucket(Protocol):
    """A bucket in which nothing is ever overwritten. Every method raises `Unavailable` when asking again may help."""

    name: str

    def create(self, name: str, content_type: str, body: bytes | Path | Iterable[bytes]) -> Stored:
        """Store under a free name; an iterable is streamed. Raises `AlreadyExists`."""

    def read(self, name: str) -> bytes | None:
        """A small object's bytes, or None."""

    def download(self, name: str, generation: int, size: int, path: Path) -> str:
        """Write exactly that generation, as stored and with its checksum verified, to a file; returns its content encoding.

        `size` is in bytes, as far as it is known: few are fetched in one piece. Raises `NoSuchObject`.
        """

    def find(self, name: str) -> Stored | None:
        """The live generation, or None."""

    def names(self, prefix: str) -> Iterator[str]:
        """Every live object whose name begins so."""

    def permit_upload(self, name: str, headers: Mapping[str, str], seconds: int, *, resumable: bool) -> Permission:
        """Let whoever holds the URL create this one object, with exactly these headers."""

    def permit_download(self, name: str, seconds: int) -> str:
        """A URL that lets its holder download this one object."""


class Queue(Protocol):
    """Delivers each task to the processor until it answers 2xx, at the rate of the queue it waits in."""

    def add(self, task: Task) -> bool:
        """Queue a task; False when one of this name is, or lately was, there already. Raises `Unavailable`."""


class Topic(Protocol):
    """Tells every subscriber."""

    def publish(self, *notices: Notice) -> None:
        """Return once all of these messages are safe, or none is. Raises `Unavailable`."""


class Cloud(Protocol):
    """The outside world of one service: its settings, its routes and its clients, none connected before it is used."""

    @property
    def settings(self) -> Settings: ...
    @property
    def routes(self) -> Routes: ...
    @property
    def certificates(self) -> Certificates: ...
    @property
    def uploads(self) -> Bucket: ...
    @property
    def results(self) -> Bucket: ...
    @property
    def queue(self) -> Queue: ...
    @property
    def completions(self) -> Topic: ...
    @property
    def dead_letters(self) -> Topic: ...
