"""Google's own Pub/Sub emulator, in a separate process."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.eventually import eventually
from tests.localcloud.pubsub.world import Clients, connected
from tests.ports import free_port, is_listening

START_SECONDS = 60
PROGRAM = Path("platform/pubsub-emulator/bin/cloud-pubsub-emulator")


def emulator_program(gcloud: str) -> Path:
    """The emulator's path in the Cloud SDK, installed or not."""
    command = [gcloud, "info", "--format=value(installation.sdk_root)"]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()) / PROGRAM


#: Kills the process group (emulator and Java) when its input closes, which also happens when the tests are killed.
GUARD = '"$@" & read -r _; kill -9 0'


@contextlib.contextmanager
def running_emulator(program: Path, log: Path) -> Iterator[Clients]:
    """Clients of the emulator on a free port, until it is stopped."""
    port = free_port()
    environment = os.environ | {"JAVA_OPTS": "-Xmx512m"}
    command = ["sh", "-c", GUARD, "guard", str(program), "--host=127.0.0.1", f"--port={port}"]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True
        ) as guard,
    ):
        eventually(lambda: is_listening(port), f"the emulator to listen, see {log}", seconds=START_SECONDS)
        with connected(port) as clients:
            yield clients
        assert guard.stdin
        guard.stdin.close()
