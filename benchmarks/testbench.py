"""Google's storage testbench, from a clone of it: what uploads to the local cloud are measured against."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.eventually import eventually
from tests.ports import free_port, is_listening

#: The clone, whose folder `.venv` has the packages of the testbench.
VARIABLE = "BENCH_TESTBENCH"
#: As in the testbench's README.
THREADS = 10
START_SECONDS = 60


@contextmanager
def running() -> Iterator[int | None]:
    """Its port while it runs; None without a clone."""
    if not os.environ.get(VARIABLE):
        yield None
        return
    clone, port = Path(os.environ[VARIABLE]).resolve(), free_port()
    programs = clone / ".venv" / "bin"
    process = subprocess.Popen(
        [programs / "python", "testbench_run.py", "127.0.0.1", str(port), str(THREADS)],
        cwd=clone,
        env=os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"},  # it starts gunicorn by its name
        stdout=subprocess.DEVNULL,  # a line for each request
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # gunicorn and its worker are to be ended with the program that started them
    )
    try:
        eventually(lambda: is_listening(port), f"the testbench in {clone} to listen", seconds=START_SECONDS)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
