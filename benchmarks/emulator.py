"""Google's own Pub/Sub emulator, where it is installed: what the local cloud's Pub/Sub is measured against."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port

START_SECONDS = 30


@contextmanager
def running() -> Iterator[str | None]:
    """Its address while it runs; None where it is not installed."""
    program = _program()
    if program is None:
        yield None
        return
    port = free_port()
    process = subprocess.Popen(
        [program, "--host=127.0.0.1", f"--port={port}"],
        env=os.environ | {"JAVA_OPTS": "-Xmx1g"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # the program is a shell script; what is to be ended is its group
    )
    try:
        _wait_for(port)
        yield f"127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _program() -> Path | None:
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        return None
    command = [gcloud, "info", "--format=value(installation.sdk_root)"]
    root = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    program = Path(root) / "platform" / "pubsub-emulator" / "bin" / "cloud-pubsub-emulator"
    return program if program.exists() else None


def _wait_for(port: int) -> None:
    deadline, pause = time.monotonic() + START_SECONDS, threading.Event()
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        pause.wait(0.05)
    raise TimeoutError(f"Google's Pub/Sub emulator does not listen after {START_SECONDS} s")
