"""A call of an API method, as its handler gets it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from localcloud.http import parse_json
from localcloud.protobuf import M, fill
from localcloud.tasks.data.store import Store
from localcloud.tasks.delivery.dispatcher import Dispatcher

#: A protobuf message (their classes have no types) or a dict of JSON values.
Reply = Any


@dataclass(frozen=True, slots=True)
class Call:
    """One request and the parts it acts on. `name` is the resource, or a collection's parent, without the `/v2/`.

    A request over gRPC has no JSON: its `parsed` message stands for the body.
    """

    store: Store
    dispatcher: Dispatcher
    now: float
    name: str
    query: Mapping[str, str]
    body: bytes
    content_type: str
    parsed: Message | None = None

    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises `ApiError` (INVALID_ARGUMENT)."""
        return parse_json(self.body)

    def message(self, empty: M) -> M:
        """The body as a message of the class of `empty`. Raises `ApiError` (INVALID_ARGUMENT), for unknown fields too."""
        return self.parsed if isinstance(self.parsed, type(empty)) else fill(empty, self.json())
