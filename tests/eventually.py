"""Waiting for a condition, with a deadline."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(
    look: Callable[[], T | None], what: str = "a true result", *, seconds: float = 120, pause_seconds: float = 0.01
) -> T:
    """The first true result of `look`. Raises AssertionError, naming `what`, after `seconds`.

    They are many: that twenty programs work beside the tests is no fault of what is tested.
    """
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not (result := look()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain for {what}"
        pause.wait(pause_seconds)
    return result
