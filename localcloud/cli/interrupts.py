"""Ctrl-C, SIGTERM and SIGHUP end a command with one line and status 128 + number, at every moment.

This module imports next to nothing: a command installs the handler before its slow imports.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_cancel: Callable[[], object] | None = None
_received = 0


def install() -> None:
    """From now on a signal ends the process, or cancels the work inside `cancelling`. `nohup` keeps its effect."""
    for number in _SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _handle)


@contextmanager
def cancelling(cancel: Callable[[], object]) -> Iterator[None]:
    """Inside the block the first signal calls `cancel`, and later ones are ignored while the work is undone."""
    global _cancel
    _cancel = cancel
    try:
        yield
    finally:
        _cancel = None


def status() -> int:
    """Print the one line; gives the exit status of a command that was cancelled."""
    _print()
    return 128 + _received


def _handle(number: int, _frame: object) -> None:
    global _received
    if _cancel is None:
        _print()
        os._exit(128 + number)
    elif not _received:
        _received = number
        _cancel()


def _print() -> None:
    # A terminal shows ^C at the beginning of the line.
    os.write(2, b"\ninterrupted\n" if os.isatty(2) else b"interrupted\n")
