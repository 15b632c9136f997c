"""Messages between a service and its zygote: JSON after its length, over a stream that also passes descriptors."""

import json
import socket
import struct
from dataclasses import asdict, dataclass
from typing import Any

from shared.model import Limits, Recipe

_LENGTH = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class Call:
    """The work of a child: apply a recipe to the file at `source`, in `folder`, within limits."""

    recipe: Recipe
    source: str
    folder: str
    limits: Limits

    def to_json(self) -> dict[str, Any]:
        limits, recipe = self.limits.to_json(), self.recipe.to_json()
        return {"recipe": recipe, "source": self.source, "folder": self.folder, "limits": limits}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Call":
        recipe, limits = Recipe.from_json(value["recipe"]), Limits.from_json(value["limits"])
        return cls(recipe, value["source"], value["folder"], limits)


@dataclass(frozen=True, slots=True)
class Report:
    """How a child ended, as the kernel accounts for it.

    `code` is its exit status, or minus the signal that ended it. `peak_bytes` counts the pages that it shares with the zygote.
    """

    code: int
    cpu_seconds: float
    peak_bytes: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def send(channel: socket.socket, message: dict[str, Any], *descriptors: int) -> None:
    """Send one message. Raises `OSError` when the other side is gone."""
    data = json.dumps(message).encode()
    data = _LENGTH.pack(len(data)) + data
    sent = socket.send_fds(channel, [data], list(descriptors)) if descriptors else channel.send(data)
    channel.sendall(data[sent:])


def receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next message with its descriptors; None when the other side has hung up."""
    head, descriptors, _flags, _address = socket.recv_fds(channel, _LENGTH.size, 1)
    rest = _exactly(channel, _LENGTH.size - len(head)) if head else None
    if rest is None:
        return None
    body = _exactly(channel, *_LENGTH.unpack(head + rest))
    return None if body is None else (json.loads(body), descriptors)


def _exactly(channel: socket.socket, length: int) -> bytes | None:
    data = b""
    while len(data) < length:
        block = channel.recv(length - len(data))
        if not block:
            return None
        data += block
    return data
