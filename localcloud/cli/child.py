"""`python -m localcloud.cli.child MODULE ARGUMENTS …`: run a module in a process that ends with its parent.

The parent keeps the other end of standard input. When the parent dies, even by `kill -9`, the pipe breaks and the process
gets SIGTERM, and SIGKILL after `STOP_SECONDS`: a function may wait longer than that for the cloud that died with its parent, and
keeps its port meanwhile.
"""

import os
import runpy
import signal
import sys
import threading
import time

STOP_SECONDS = 5


def command(module: str, *arguments: str) -> list[str]:
    """The command line of such a process; start it with a pipe as standard input."""
    return [sys.executable, "-m", "localcloud.cli.child", module, *arguments]


def _end_with_parent() -> None:
    os.read(0, 1)  # nothing is ever written: this returns when the pipe breaks
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_SECONDS)
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)  # with its workers
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
