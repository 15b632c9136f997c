"""The connection to the cloud that the environment names."""

import os
import socket
from urllib.parse import urlsplit

from shared import cloud
from shared.cloud.protocols import Cloud
from shared.errors import Unavailable

TIMEOUT_SECONDS = 3
#: A person waits: after this time an outage is reported.
RETRY_SECONDS = 20.0


def connect() -> Cloud:
    """The cloud, with the settings of the environment.

    Raises `BadConfiguration`, and `Unavailable` at once for a local cloud that is down.
    """
    local = urlsplit(os.environ.get("STORAGE_EMULATOR_HOST", ""))
    if local.hostname:
        try:
            socket.create_connection((local.hostname, local.port or 80), TIMEOUT_SECONDS).close()
        except OSError as error:
            raise Unavailable(f"the local cloud does not answer at {local.netloc}; start it: make up") from error
    return cloud.connect(RETRY_SECONDS)
