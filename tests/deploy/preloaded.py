"""The real gcloud, loaded once and forked for each command: most of a command's time is spent importing.

`preloaded` gives a folder with a program called gcloud, for the front of a PATH. Behind it, gcloud's own start script runs this
file in its own Python, which loads all that gcloud loads and then waits for commands. What a command imports besides is imported
before the next fork, so that it is imported once per server.
"""

import atexit
import gc
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def preloaded(gcloud: str, environment: Mapping[str, str]) -> Iterator[str]:
    """A folder with a gcloud that starts at once; for as long as the block lasts."""
    # Under /tmp itself: the path of a socket has no more than 104 characters on macOS, 108 on Linux.
    with TemporaryDirectory(dir="/tmp") as folder, socket.socket(socket.AF_UNIX) as listener:
        door, shim = Path(folder, "socket"), Path(folder, "gcloud")
        listener.bind(str(door))
        listener.listen(64)
        shim.write_text(f'#!/bin/sh\nexec {sys.executable} -IS {__file__} {door} "$@"\n')
        shim.chmod(0o755)
        started = {**environment, "CLOUDSDK_PYTHON_ARGS": f"-S {__file__}"}
        with subprocess.Popen([gcloud, str(listener.fileno())], env=started, pass_fds=[listener.fileno()]) as server:
            try:
                yield folder
            finally:
                server.kill()


def _ask(door: str, arguments: list[str]) -> int:
    """Have the server run one command with our streams, variables and folder; return its status."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(door)
        wanted = json.dumps([arguments, dict(os.environ), os.getcwd()]).encode()  # noqa: PTH109 - no imports that take time
        socket.send_fds(connection, [len(wanted).to_bytes(4, "big")], [0, 1, 2])
        connection.sendall(wanted)
        status = connection.recv(1)
    return status[0] if status else 1


def _serve(script: str, listener: socket.socket) -> None:
    """Load what `script`, which is gcloud's main file, loads, and run it in a fork for everyone who asks."""
    found = importlib.util.spec_from_file_location("gcloud", script)
    assert found
    assert found.loader
    gcloud = importlib.util.module_from_spec(found)
    found.loader.exec_module(gcloud)
    gcloud._import_gcloud_main()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the forks are not waited for
    reports, report = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    reports.setblocking(False)
    while True:
        connection, _ = listener.accept()
        _import_reported(reports)
        loaded = set(sys.modules)
        if os.fork() == 0:
            listener.close()
            connection.sendall(bytes([_status(gcloud.main, script, connection)]))
            report.send(json.dumps([name for name in sys.modules if name not in loaded]).encode())
            os._exit(0)
        connection.close()


def _import_reported(reports: socket.socket) -> None:
    """Import the modules that forks reported. Some cannot be imported by name, such as the commands themselves."""
    with suppress(BlockingIOError):
        while True:
            for name in json.loads(reports.recv(1 << 20)):
                with suppress(ImportError):
                    importlib.import_module(name)
    gc.freeze()  # else the forks' collections copy all pages of these modules


def _status(main: Callable[[], object], script: str, connection: socket.socket) -> int:
    """Run the command that is asked for, as if this process had been started for it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    length, streams, _, _ = socket.recv_fds(connection, 4, 3)
    with connection.makefile("rb") as file:
        arguments, environment, folder = json.loads(file.read(int.from_bytes(length, "big")))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = [script, *arguments]
    status: object = 0
    try:
        main()
    except SystemExit as end:
        status = end.code
    except BaseException:
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status if isinstance(status, int) else int(status is not None)


if __name__ == "__main__":
    if sys.argv[1].endswith(".py"):
        _serve(sys.argv[1], socket.socket(fileno=int(sys.argv[2])))
    else:
        sys.exit(_ask(sys.argv[1], sys.argv[2:]))
