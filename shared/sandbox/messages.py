"""Messages between a service and its zygote: calls as JSON after their length, reports as numbers.

They go over streams that also pass descriptors.
"""

import json
import os
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.model import Limits, Recipe

_LENGTH = struct.Struct("!I")
_PROCESS = struct.Struct("!i")
_REPORT = struct.Struct("!idQ")
#: Sent once, by a zygote that has loaded the processors.
READY = b"!"


@dataclass(frozen=True, slots=True)
class Call:
    """The work of a child: apply a recipe to the file at `source`, in `folder`, within limits.

    `assets` has the paths of its assets by name, `programs` those of the programs that it may start.
    """

    recipe: Recipe
    source: str
    folder: str
    limits: Limits
    assets: Mapping[str, str] = field(default_factory=dict)
    programs: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        limits, recipe = self.limits.to_json(), self.recipe.to_json()
        paths = {"source": self.source, "folder": self.folder, "assets": dict(self.assets)}
        paths["programs"] = dict(self.programs)
        return {"recipe": recipe, "limits": limits, **paths}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Call":
        recipe, limits = Recipe.from_json(value["recipe"]), Limits.from_json(value["limits"])
        return cls(recipe, value["source"], value["folder"], limits, value["assets"], value["programs"])


@dataclass(frozen=True, slots=True)
class Report:
    """How a child ended, as the kernel accounts for it.

    `code` is its exit status, or minus the signal that ended it. `peak_bytes` is that of the largest of its processes, with the
    pages that it shares with the zygote.
    """

    code: int
    cpu_seconds: float
    peak_bytes: int


def send_call(channel: socket.socket, call: Call, descriptor: int) -> None:
    """Send a call, and the zygote's end of its stream. Raises `OSError` when the zygote is gone."""
    data = json.dumps(call.to_json()).encode()
    data = _LENGTH.pack(len(data)) + data
    sent = socket.send_fds(channel, [data], [descriptor])
    channel.sendall(data[sent:])


def receive_call(channel: socket.socket) -> tuple[bytes, int]:
    """The next call, unread, with its descriptor. Raises `OSError` when the service has hung up."""
    head, descriptors, _flags, _address = socket.recv_fds(channel, _LENGTH.size, 1)
    head += _exactly(channel, _LENGTH.size - len(head))
    return _exactly(channel, *_LENGTH.unpack(head)), descriptors[0]


def send_process(descriptor: int, process: int) -> None:
    """Send the process id of the child, 0 for none. Raises `OSError` when the caller is gone."""
    os.write(descriptor, _PROCESS.pack(process))


def receive_process(channel: socket.socket) -> int:
    """The process id of the child, 0 for none. Raises `OSError` when the zygote is gone."""
    return int(_PROCESS.unpack(_exactly(channel, _PROCESS.size))[0])


def send_report(descriptor: int, report: Report) -> None:
    """Send the report of a child. Raises `OSError` when the caller is gone."""
    os.write(descriptor, _REPORT.pack(report.code, report.cpu_seconds, report.peak_bytes))


def receive_report(channel: socket.socket) -> Report:
    """The report of the child. Raises `OSError` when the zygote is gone."""
    return Report(*_REPORT.unpack(_exactly(channel, _REPORT.size)))


def _exactly(channel: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        block = channel.recv(length - len(data))
        if not block:
            raise ConnectionResetError("the other side has hung up")
        data += block
    return data
