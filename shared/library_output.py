"""The output of libraries as log lines: `logging`, `warnings`, gunicorn's errors, and file descriptor 2."""

import atexit
import faulthandler
import logging
import os
import sys
import threading

from shared import log

#: A longer line becomes several: Cloud Logging takes entries of at most 256 KiB.
MAX_LINE_BYTES = 8 << 10
FLUSH_SECONDS = 2


class Records(logging.Handler):
    """Writes the records of Python libraries as log lines."""

    def emit(self, record: logging.LogRecord) -> None:
        failure = record.exc_info[1] if record.exc_info else None
        fields = {"logger": record.name, "text": _text(record)}
        if record.levelno >= logging.ERROR:
            log.error("a library logged an error", failure, **fields)
        elif record.levelno >= logging.WARNING:
            log.warning("a library logged a warning", **fields)
        else:
            log.info("a library logged an event", **fields)

    def take(self, record: logging.LogRecord) -> bool:
        """As a filter: write the record and keep it from the logger's own handlers."""
        self.handle(record)
        return False


_records = Records(logging.WARNING)


def install() -> None:
    """Write warnings, and the records of all libraries from WARNING on, as log lines. Repeats change nothing."""
    logging.getLogger().addHandler(_records)
    # gunicorn adds a handler of its own later, in the server and again in each worker; filters come before handlers.
    logging.getLogger("gunicorn.error").addFilter(_records.take)
    logging.captureWarnings(True)


class ErrorOutput:
    """File descriptor 2 of a forked worker, to which C libraries such as libtiff write."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._done = os.getpid()

    def capture(self) -> None:
        """In a process forked from the one that made this object: write each line as a log line from now on.

        A thread reads the lines, and threads do not survive a fork. So each worker calls this with its first request.
        """
        with self._lock:
            if self._done != os.getpid():
                self._done = os.getpid()
                _capture()


def _capture() -> None:
    readable, writable = os.pipe()
    # A library may write while it holds the GIL, which the reader needs: a full pipe drops the rest instead of waiting.
    os.set_blocking(writable, False)
    original = os.dup(2)
    os.dup2(writable, 2)
    os.close(writable)
    reader = threading.Thread(target=_read, args=(readable,), daemon=True)
    reader.start()
    faulthandler.enable(original)  # a crash ends the process before the reader runs
    threading.excepthook = _thread_failed
    atexit.register(_release, original, reader)


def _read(readable: int) -> None:
    with os.fdopen(readable, "rb") as lines:
        while line := lines.readline(MAX_LINE_BYTES):
            if text := line.decode(errors="replace").strip():
                log.warning("a library wrote to its error output", text=text)


def _text(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()[:MAX_LINE_BYTES]
    except Exception:  # arguments that do not fit the sentence: a library must not fail because of its own log line
        return str(record.msg)[:MAX_LINE_BYTES]


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    log.error("unforeseen error in a thread", failure.exc_value, thread=failure.thread.name if failure.thread else "")


def _release(original: int, reader: threading.Thread) -> None:
    """Give the descriptor back, so that the last words of a dying process are not lost, and log the rest."""
    sys.stderr.flush()
    os.dup2(original, 2)
    reader.join(FLUSH_SECONDS)
