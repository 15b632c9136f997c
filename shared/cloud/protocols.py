"""The protocols of a cloud, as the pipeline sees it. This package and `shared.testing` implement them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from shared.backfill_page import Page
from shared.errors import Conflict, NotFound
from shared.events import Notice
from shared.identity import Certificates
from shared.model import File, Run, Verdict
from shared.plan import Task
from shared.routes import Routes
from shared.settings import Settings
from shared.sweep_part import Part
from shared.webhooks.deliveries import Delivery

if TYPE_CHECKING:  # only the processor loads the sandbox
    from shared.sandbox.protocol import Sandbox

#: Longest time for which a call is repeated, unless its adapter has a shorter one: the default of Cloud Storage's client.
RETRY_SECONDS = 120.0
NO_METADATA: Mapping[str, str] = MappingProxyType({})
#: The content of a new object.
Body = bytes | Path | Iterable[bytes]


class AlreadyExists(Conflict):
    """An object of this name exists; a create-only write leaves it unchanged."""

    code = "already_exists"


class NoSuchObject(NotFound):
    """This generation of this object does not exist."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One generation: `size` in bytes, `crc32c` in base64, `updated` in RFC 3339, custom metadata."""

    name: str
    generation: int
    size: int
    content_type: str
    crc32c: str
    updated: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Permission:
    """A signed URL, and the headers that the request must carry unchanged."""

    method: str
    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Queued:
    """A task in its queue: its deliveries so far, whether one is under way, and when the next is due (RFC 3339).

    `answer` is the code by which Cloud Tasks names the answer to the last one, such as `PERMISSION_DENIED`; empty while one runs.
    """

    deliveries: int
    is_running: bool
    next: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """A message of a subscription: its id, the time of its publication (RFC 3339), and the id of its lease."""

    id: str
    published: str
    data: bytes
    attributes: Mapping[str, str]
    lease: str


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue at this moment, as Cloud Tasks estimates it.

    `depth` counts all its tasks, `running` those under delivery. `oldest` is the time when the first waiting task is or was due
    (RFC 3339; empty for none). `rate` is the most deliveries a second that the queue allows itself now; `last_minute` counts the
    deliveries answered in the last minute.
    """

    queue: str
    is_paused: bool
    depth: int
    running: int
    oldest: str
    rate: float
    last_minute: int


class Bucket(Protocol):
    """A bucket in which nothing is overwritten. Every method raises `Unavailable` when a retry may help."""

    name: str

    def create(
        self, name: str, content_type: str, body: Body, metadata: Mapping[str, str] = NO_METADATA, cache_control: str = ""
    ) -> Stored:
        """Store an object under a free name; an iterable is streamed. Raises `AlreadyExists`."""

    def read(self, name: str, most: int = 0) -> bytes | None:
        """The bytes of a small object, or None. With `most`, at most so many from its beginning."""

    def head(self, name: str, generation: int, most: int) -> tuple[bytes, str]:
        """The first bytes of exactly this generation, as stored, and its Content-Encoding. Raises `NoSuchObject`."""

    def download(self, name: str, generation: int, size: int, path: Path) -> str:
        """Download exactly this generation to a file, as stored, verify its checksum, and return its Content-Encoding.

        `size`, in bytes, chooses between one request and several. Raises `NoSuchObject`.
        """

    def find(self, name: str) -> Stored | None:
        """The live generation, or None."""

    def names(self, prefix: str, start: str = "", end: str = "") -> Iterator[str]:
        """The names of the live objects with this prefix, sorted: from `start` on, and before `end` where there is one."""

    def page(self, prefix: str, start: str, limit: int) -> Mapping[str, Mapping[str, str]]:
        """The custom metadata of the first `limit` live objects with this prefix from `start` on, by name, sorted."""

    def objects(self, prefix: str, start: str, limit: int) -> Sequence[Stored]:
        """The first `limit` live objects with this prefix from `start` on, sorted by name: a list call for a thousand."""

    def permit_upload(self, name: str, headers: Mapping[str, str], seconds: int, *, resumable: bool) -> Permission:
        """Sign a URL that creates this one object, with exactly these headers."""

    def permit_download(self, name: str, seconds: int) -> str:
        """Sign a URL that downloads this one object."""


class Queue(Protocol):
    """Cloud Tasks: delivers each task to its service, at its queue's rate, until the answer is 2xx."""

    def add(self, task: Task | Delivery | Part | Page) -> bool:
        """Queue a task; False when its name is, or recently was, in the queue. Raises `Unavailable`."""

    def find(self, task: Task | Delivery | Page) -> Queued | None:
        """The task in its queue, or None once it has ended. Raises `Unavailable`."""

    def tasks(self, queue: str) -> Iterator[tuple[Task, Queued]]:
        """The tasks that wait or run in this queue, without those that are not the pipeline's own. Raises `Unavailable`."""

    def delete(self, task: Task | Delivery) -> bool:
        """Delete a task; False when the queue has none of that name. A delivery under way goes on. Raises `Unavailable`."""

    def state(self, queue: str) -> QueueState:
        """Whether the queue is paused, and how much waits and runs in it. Raises `Unavailable`."""

    def names(self) -> Iterator[str]:
        """The queues of this deployment: those with its prefix, which is left out. Raises `Unavailable`."""

    def pause(self, queue: str) -> None:
        """Stop the deliveries of this queue; those under way go on. Repeats change nothing. Raises `Unavailable`."""

    def resume(self, queue: str) -> None:
        """Deliver again. Repeats change nothing. Raises `Unavailable`."""


class Topic(Protocol):
    """A Pub/Sub topic."""

    def publish(self, *notices: Notice) -> None:
        """Publish all of these messages, in one request within Pub/Sub's limits. Raises `Unavailable`."""

    def subscribe(self) -> "Subscription":
        """Create a subscription to what is published from now on; unused, it expires after a day. Raises `Unavailable`."""


class Subscription(Protocol):
    """A Pub/Sub subscription that is pulled. Every method raises `Unavailable`."""

    def pull(self, seconds: float) -> Sequence[Received]:
        """The next messages, each leased for a minute or more; empty when none came within these seconds."""

    def acknowledge(self, messages: Iterable[Received]) -> None:
        """Take these messages off the subscription."""

    def release(self, messages: Iterable[Received]) -> None:
        """End the lease of these messages: the subscription delivers them again at once."""

    def delete(self) -> None:
        """Delete the subscription; one that is gone already is no error."""


class Guard(Protocol):
    """The runaway guard's marks (`shared/guard.py`)."""

    def refusal(self, run: Run) -> tuple[Verdict, str, str] | None: ...
    def may_have_ended(self, file: File) -> bool: ...


class Cloud(Protocol):
    """Settings, routes and clients of one service, and its sandbox; each begins on first use."""

    @property
    def settings(self) -> Settings: ...
    @property
    def routes(self) -> Routes: ...
    @property
    def certificates(self) -> Certificates: ...
    @property
    def sandbox(self) -> "Sandbox": ...
    @property
    def uploads(self) -> Bucket: ...
    @property
    def results(self) -> Bucket: ...
    @property
    def guard(self) -> Guard: ...
    @property
    def queue(self) -> Queue: ...
    @property
    def completions(self) -> Topic: ...
    @property
    def dead_letters(self) -> Topic: ...
    def identity_token(self, audience: str) -> str:
        """A token of this service's account for the audience; empty where it has none. Raises `Unavailable`."""

    @property
    def notifications(self) -> Topic: ...  # of the uploads bucket
    @property
    def put_aside(self) -> Subscription:
        """The subscription that keeps the dead letters."""
