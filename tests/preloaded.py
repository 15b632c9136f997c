"""The real gcloud, loaded once and forked for each command: most of a command's time is spent importing.

`preloaded` puts a folder with a program called gcloud, asking.py, first on the PATH. Behind it, gcloud's own start script runs this
file in its own Python, which loads all that gcloud loads and then waits for commands. A command that was run once is loaded before
the next fork, with all that it imported.
"""

import atexit
import gc
import importlib.util
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


@contextmanager
def preloaded(gcloud: str, environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The environment with a gcloud that starts at once; for as long as the block lasts."""
    # Under /tmp itself: the path of a socket has no more than 104 characters on macOS, 108 on Linux.
    with TemporaryDirectory(dir="/tmp") as folder, socket.socket(socket.AF_UNIX) as listener:
        door, shim = Path(folder, "socket"), Path(folder, "gcloud")
        listener.bind(str(door))
        listener.listen(64)
        shim.write_text(f"#!{sys.executable} -IS\n{Path(__file__).with_name('asking.py').read_text()}")
        shim.chmod(0o755)
        started = {**environment, "CLOUDSDK_PYTHON_ARGS": f"-S {__file__}"}
        command, inherited = [gcloud, str(listener.fileno())], [listener.fileno()]
        # The server ends when its stdin does: also when the tests are killed.
        with subprocess.Popen(command, env=started, stdin=subprocess.PIPE, pass_fds=inherited) as server:
            try:
                yield {**environment, "PATH": f"{folder}:{environment['PATH']}"}
            finally:
                server.kill()


def _serve(script: str, listener: socket.socket) -> None:
    """Load what `script`, which is gcloud's main file, loads, and run it in a fork for everyone who asks."""
    found = importlib.util.spec_from_file_location("gcloud", script)
    assert found
    assert found.loader
    gcloud = importlib.util.module_from_spec(found)
    found.loader.exec_module(gcloud)
    sys.path = gcloud.reorder_sys_path(sys.path)  # as gcloud's own main does
    gcloud._fix_google_module()
    main = gcloud._import_gcloud_main()
    commands = main.CreateCLI([])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the forks are not waited for
    reports, report = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    reports.setblocking(False)
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        _load_reported(reports, commands._CLI__top_element)
        loaded = set(sys.modules)
        if os.fork() == 0:
            listener.close()
            connection.sendall(bytes([_status(lambda: main.main(commands), script, connection)]))
            report.send(json.dumps([sys.argv[1:], [name for name in sys.modules if name not in loaded]]).encode())
            os._exit(0)
        connection.close()


def _load_reported(reports: socket.socket, group: Any) -> None:
    """Load what forks reported: the words of a command and the modules that it imported."""
    with suppress(BlockingIOError):
        while True:
            words, modules = json.loads(reports.recv(1 << 20))
            group.LoadSubElementByPath(itertools.takewhile(lambda word: not word.startswith("-"), words))
            for name in modules:
                with suppress(ImportError):  # the modules of commands cannot be imported by name
                    importlib.import_module(name)
    gc.freeze()  # else the forks' collections copy all pages of these modules


def _status(main: Callable[[], object], script: str, connection: socket.socket) -> int:
    """Run the command that is asked for, as if this process had been started for it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    length, streams, _, _ = socket.recv_fds(connection, 4, 3)
    with connection.makefile("rb") as file:
        folder, count, *words = map(os.fsdecode, file.read(int.from_bytes(length, "big")).split(b"\0"))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    variables = (pair.partition("=") for pair in words[int(count) :])
    os.environ.update({name: value for name, _, value in variables})
    os.chdir(folder)
    sys.argv = [script, *words[: int(count)]]
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
    _serve(sys.argv[1], socket.socket(fileno=int(sys.argv[2])))
