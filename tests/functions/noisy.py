"""A function whose libraries write to all outputs: the path names the noise."""

import atexit
import ctypes
import io
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import functions_framework
from flask import Request, Response
from PIL import Image

from shared import log, web

cloud = cast("Any", SimpleNamespace(settings=SimpleNamespace(project="p", body_seconds=60, body_bytes_per_second=1000)))
web.install(cloud)
warnings.simplefilter("always")
#: Written to file descriptor 2 when the worker has ended its own output.
last_words: list[bytes] = []
atexit.register(lambda: [os.write(2, words) for words in last_words])


def _tiff() -> None:
    """libtiff writes `Using code not yet in table` about it to file descriptor 2."""
    whole = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(whole, "TIFF", compression="tiff_lzw")
    broken = bytearray(whole.getvalue())
    broken[20:2000] = bytes((byte * 7 + 3) & 255 for byte in broken[20:2000])
    try:
        Image.open(io.BytesIO(broken)).load()
    except OSError:
        log.info("the picture is broken")


def _flood() -> None:
    """A C library that writes more than a pipe holds, and keeps the GIL meanwhile."""
    line = b"flood" * 12 + b"\n"
    for _ in range(20_000):
        ctypes.pythonapi.write(2, line, len(line))


def _exit() -> None:
    """A library that writes while the process ends."""
    last_words.append(b"last words\n")
    atexit.register(lambda: os.write(2, b"rest\n" * 1000))


def _thread() -> None:
    thread = threading.Thread(target=int, args=("no number",))
    thread.start()
    thread.join()


NOISES: dict[str, Callable[[], object]] = {
    "tiff": _tiff,
    "flood": _flood,
    "exit": _exit,
    "thread": _thread,
    "warning": lambda: warnings.warn("old name", DeprecationWarning, stacklevel=1),
    "logging": lambda: logging.getLogger("urllib3").warning("pool of %s is full", "host"),
    "malformed": lambda: logging.getLogger("urllib3").warning("%d", "no number"),
    "debug": lambda: logging.getLogger("urllib3").info("a secret"),
    "server": lambda: logging.getLogger("gunicorn.error").error("worker is lost"),
    "print": lambda: sys.stderr.write("two\nlines\n"),
    "long": lambda: sys.stderr.write("x" * 20_000 + "\n"),
    "abort": ctypes.pythonapi.abort,
}


@functions_framework.http
def noisy(request: Request) -> Response:
    """Make the noise that the path names, on the timeline of a job."""
    log.follow("f-1", "noisy")
    NOISES[request.path.strip("/")]()
    return web.reply({})
