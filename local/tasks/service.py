"""What a request handler may use, and what it is told of one request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.clock import Clock
from local.tasks.dispatcher import Dispatcher
from local.tasks.store import Store


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
