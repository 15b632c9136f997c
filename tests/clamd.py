"""Debian's clamd with one signature of our own."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.eventually import eventually

#: The EICAR text in two halves, so that no scanner finds it in this file.
INFECTED = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
CONFIGURATION = """
Foreground yes
DatabaseDirectory {folder}/signatures
TemporaryDirectory {folder}
TCPSocket {port}
TCPAddr 127.0.0.1
LocalSocket {folder}/clamd
StreamMaxLength 2M
MaxFileSize 1M
MaxScanSize 1M
AlertExceedsMax yes
"""


@contextmanager
def listening(folder: Path, port: int) -> Iterator[None]:
    """It listens on the port, and on the Unix socket `clamd` in the folder, until the end of the block."""
    (folder / "signatures").mkdir()
    (folder / "signatures" / "test.ndb").write_text(f"Sluice-Test:0:*:{INFECTED.hex()}\n")
    (folder / "clamd.conf").write_text(CONFIGURATION.format(folder=folder, port=port))
    with (folder / "log").open("wb") as log:
        started = subprocess.Popen(["clamd", "--config-file", str(folder / "clamd.conf")], stdout=log, stderr=log)
    try:
        eventually(lambda: _listens(port), "clamd's port")
        yield
    finally:
        started.kill()
        started.wait()


def _listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0
