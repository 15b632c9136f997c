"""The real gcloud and gsutil, loaded once and forked for each command: most of a command is imports.

`preloaded` puts a folder with a program of that name, asking.py, first on the PATH. Behind it, the start script of the Google Cloud
CLI runs this file in its own Python, which loads all that the program loads and then waits for commands. A command that was run
once is loaded before the next fork, with all that it imported.
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
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


@contextmanager
def preloaded(program: str, environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """The environment with this program, gcloud or gsutil, starting at once; for as long as the block lasts.

    A gsutil that is not part of the Google Cloud CLI stays as it is.
    """
    if b"CLOUDSDK_PYTHON_ARGS" not in Path(program).read_bytes():
        yield dict(environment)
        return
    # Under /tmp itself: the path of a socket has no more than 104 characters on macOS, 108 on Linux.
    with TemporaryDirectory(dir="/tmp") as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/socket")
        listener.listen(64)
        shim(folder, Path(program).name)
        started = {**environment, "CLOUDSDK_PYTHON_ARGS": f"-S {__file__}"}
        command, inherited = [program, str(listener.fileno())], [listener.fileno()]
        # The server ends when its stdin does: also when the tests are killed.
        with subprocess.Popen(command, env=started, stdin=subprocess.PIPE, pass_fds=inherited) as server:
            listener.close()  # a server that ended refuses commands
            try:
                yield {**environment, "PATH": f"{folder}:{environment['PATH']}"}
            finally:
                server.kill()


def shim(folder: str, program: str) -> None:
    """Write a program of this name, which has whoever listens at `socket` in the same folder run its commands."""
    path = Path(folder, program)
    path.write_text(f"#!{sys.executable} -IS\n{Path(__file__).with_name('asking.py').read_text()}")
    path.chmod(0o755)


def received(connection: socket.socket) -> tuple[bytes, list[int]]:
    """The command that asking.py sent, and its streams."""
    length, streams, _, _ = socket.recv_fds(connection, 4, 3)
    with connection.makefile("rb") as file:
        return file.read(int.from_bytes(length, "big")), streams


#: Runs the command in sys.argv.
Run = Callable[[], object]
#: Loads a command by its words.
Load = Callable[[list[str]], None]


def _gcloud(script: str) -> tuple[Run, Load]:
    gcloud = _imported(script)
    sys.path = gcloud.reorder_sys_path(sys.path)  # as gcloud's own main does
    gcloud._fix_google_module()
    main = gcloud._import_gcloud_main()
    commands = main.CreateCLI([])

    def load(words: list[str]) -> None:
        path = itertools.takewhile(lambda word: not word.startswith("-"), words)
        commands._CLI__top_element.LoadSubElementByPath(path)

    return lambda: main.main(commands), load


def _gsutil(script: str) -> tuple[Run, Load]:
    """gsutil itself: its script in the Google Cloud CLI only starts another Python, with options of our boto file."""
    sys.argv = [script]  # read while gsutil's modules are loaded
    folder = str(Path(script).parents[2] / "platform" / "gsutil")
    sys.path.insert(0, folder)
    _imported(f"{folder}/gsutil.py")._fix_google_module()
    gsutil: Any = importlib.import_module("gslib.__main__")
    processes: Any = importlib.import_module("gslib.utils.parallelism_framework_util")
    server = os.getpid()
    start = processes.CheckMultiprocessingAvailableAndInit

    def start_unless_server() -> object:
        if os.getpid() == server:
            raise ImportError("a module that starts a process is loaded by each fork")
        return start()

    processes.CheckMultiprocessingAvailableAndInit = start_unless_server

    def run() -> object:
        os.environ["CLOUDSDK_WRAPPER"] = "1"
        gsutil.opts, gsutil.args = gsutil.GetArgumentsAndOptions()
        return gsutil.main()

    return run, lambda _words: None


def _imported(script: str) -> Any:
    """The module of this file."""
    found = importlib.util.spec_from_file_location(Path(script).stem, script)
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _serve(script: str, listener: socket.socket) -> None:
    """Load the program whose main file is `script`, and run it in a fork for everyone who asks."""
    run, load = _gsutil(script) if Path(script).stem == "gsutil" else _gcloud(script)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the forks are not waited for
    reports, report = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    reports.setblocking(False)
    while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        _load_reported(reports, load)
        loaded = set(sys.modules)
        if os.fork() == 0:
            listener.close()
            connection.sendall(bytes([_status(run, script, connection)]))
            report.send(json.dumps([sys.argv[1:], [name for name in sys.modules if name not in loaded]]).encode())
            os._exit(0)
        connection.close()


def _load_reported(reports: socket.socket, load: Load) -> None:
    """Load what forks reported: the words of a command and the modules that it imported."""
    with suppress(BlockingIOError):
        while True:
            words, modules = json.loads(reports.recv(1 << 20))
            load(words)
            for name in modules:
                _load(name)
    gc.freeze()  # else the forks' collections copy all pages of these modules


@cache
def _load(name: str) -> None:
    with suppress(ImportError):  # the modules of gcloud's commands cannot be imported by name
        importlib.import_module(name)


def _status(run: Run, script: str, connection: socket.socket) -> int:
    """Run the command that is asked for, as if this process had been started for it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    command, streams = received(connection)
    folder, count, *words = map(os.fsdecode, command.split(b"\0"))
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
        status = run()
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
