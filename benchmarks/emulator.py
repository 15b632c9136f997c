"""Google's own Pub/Sub emulator, where it is installed: what the local cloud's Pub/Sub is measured against."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.eventually import eventually
from tests.ports import free_port, is_listening

START_SECONDS = 60


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
        eventually(lambda: is_listening(port), "Google's Pub/Sub emulator to listen", seconds=START_SECONDS)
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
