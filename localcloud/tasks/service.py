"""What a request handler may use, and what it is told of one request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.clock import Clock
from localcloud.tasks.data.store import Store
from localcloud.tasks.delivery.dispatcher import Dispatcher


@dataclass(frozen=True, slots=True)
class Service:
    """The parts that handlers act on."""

    store: Store
    dispatcher: Dispatcher
    clock: Clock


@dataclass(frozen=True, slots=True)
class Call:
    """One request: `name` is the resource (or the parent of a collection) without the version prefix."""

    name: str
    query: Mapping[str, str]
    body: bytes
    content_type: str


#: A protobuf message (their classes have no types) or a dict of JSON values.
Reply = Any
