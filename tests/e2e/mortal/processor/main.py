"""The processor, except that it kills itself once for each file, before or after the write in the file's name.

The file's name says where: `before-manifest-1.png` dies before the manifest of stage 1 is written. Each write is
noted in the folder for temporary files.
"""

import contextvars
import os
import signal
import tempfile
import threading
from pathlib import Path
from typing import Any

from flask import Request
from flask.typing import ResponseReturnValue

from functions.processor import main
from shared.cloud import GoogleCloud, connect

NOTES = Path(tempfile.gettempdir())
#: A death must not end the delivery of another file between its write and its own death.
_alone = threading.Lock()
#: the name of the file and the stage of the task that is being delivered
_delivery: contextvars.ContextVar[tuple[str, int]] = contextvars.ContextVar("delivery")


def processor(request: Request) -> ResponseReturnValue:
    """Run the task in the body, mortally."""
    task = request.get_json()
    _delivery.set((task["file"]["name"], task["stage"]))
    with _alone:
        return main.processor(request)


class _Mortal:
    """A client of the cloud whose writes are deadly."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def create(self, name: str, *arguments: Any) -> Any:
        kind = {"files": "output", "jobs": "manifest", "index": "entry"}.get(name.split("/")[0], "note")
        return _deadly(kind, self._client.create, name, *arguments)

    def publish(self, *notices: Any) -> None:
        _deadly("notices", self._client.publish, *notices)

    def add(self, task: Any) -> Any:
        return _deadly("task", self._client.add, task)


def _deadly(kind: str, write: Any, *arguments: Any) -> Any:
    name, stage = _delivery.get()
    with (NOTES / "writes").open("a") as writes:
        writes.write(f"{name} {kind}-{stage}\n")
    _die(name, f"before-{kind}-{stage}.png")
    made = write(*arguments)
    _die(name, f"after-{kind}-{stage}.png")
    return made


def _die(name: str, point: str) -> None:
    died = NOTES / f"died-{point}"
    if name == point and not died.exists():
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)


cloud = connect()
assert isinstance(cloud, GoogleCloud)
cloud.results, cloud.completions, cloud.queue = _Mortal(cloud.results), _Mortal(cloud.completions), _Mortal(cloud.queue)
