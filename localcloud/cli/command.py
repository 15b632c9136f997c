"""The commands of `python -m localcloud`, and the frame for other programs that run on the local cloud."""

import argparse
import asyncio
import contextlib
import gc
import os
import shlex
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from localcloud import calls, folder
from localcloud.address import HOST, Ports
from localcloud.cli import clients, interrupts
from localcloud.errors import CannotRun
from localcloud.faults.command import add_arguments, fault

if TYPE_CHECKING:
    from localcloud.cloud import LocalCloud

DATA = Path(".localcloud")
LAST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand: its function, which gives the exit status, its help, and options of its own."""

    run: Callable[[argparse.Namespace], int]
    help: str
    add_options: Callable[[argparse.ArgumentParser], None] = lambda _parser: None


class Service(Protocol):
    """A server that runs until it is stopped."""

    async def start(self) -> None:
        """Open every port. Raises `CannotRun` with nothing left running."""

    async def stop(self) -> None:
        """Close every port."""


def main() -> int:
    """Run `python -m localcloud`; gives the exit status."""
    commands = {
        "up": Command(up, "start Cloud Storage, Pub/Sub and Cloud Tasks, stop on Ctrl-C"),
        "env": Command(env, 'print export lines for a shell: eval "$(python -m localcloud env)"'),
        "fault": FAULT,
        "calls": CALLS,
        "reset": RESET,
    }
    return run_command("localcloud", "Cloud Storage, Pub/Sub and Cloud Tasks on this machine.", commands, DATA, Ports().all)


def run_command(module: str, description: str, commands: Mapping[str, Command], data: Path, ports: Iterable[int]) -> int:
    """Run one of the commands of `python -m <module>`, which listens on `ports`; gives the exit status."""
    options = _parser(module, description, commands, data, port_offset(ports)).parse_args()
    try:
        status = int(options.run(options))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output has ended, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes it once more at its end
        return 128 + signal.SIGPIPE
    except CannotRun as error:
        remedy = f": {_python()} -m {module} {error.remedy}" if error.remedy else ""
        print(f"error: {error}{remedy}", file=sys.stderr)
        return 1
    return status


def port_offset(ports: Iterable[int]) -> Callable[[str], int]:
    """The argparse type of `--port-offset` for a program that listens on these ports at offset 0."""
    numbers = set(ports)
    least, most = 1 - min(numbers), LAST_PORT - max(numbers)

    def offset(text: str) -> int:
        number = int(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{number} is out of range: ports go from 1 to {LAST_PORT}; use {least} to {most}")
        return number

    return offset


def up(options: argparse.Namespace) -> int:
    """Run the three services until a signal comes."""
    from localcloud.cloud import LocalCloud  # its servers take a second to import, which the other commands save

    cloud = LocalCloud(options.data, Ports(options.port_offset))
    return run_interruptible(keep_running(cloud, lambda: _greeting(cloud), cloud.data))


def env(options: argparse.Namespace) -> int:
    """Print export lines; the local cloud need not run."""
    print_exports(clients.environment(options.data, Ports(options.port_offset)))
    return 0


def reset(options: argparse.Namespace) -> int:
    """Delete the data folder, with the upload trackers of gsutil and gcloud."""
    print(f"deleted {options.data}" if folder.delete(options.data) else f"{options.data} does not exist: nothing to delete")
    return 0


FAULT = Command(fault, "plant a fault in the running local cloud: lose, repeat, delay, refuse, cut, freeze", add_arguments)
CALLS = Command(calls.calls, "print how many calls the running local cloud has served, by operation", calls.add_arguments)
RESET = Command(reset, "delete the data folder")


def run_interruptible(work: Coroutine[Any, Any, int]) -> int:
    """Run a command's coroutine. A signal cancels it; it cleans up, and the status says which signal it was."""

    async def cancellable() -> int:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        with interrupts.cancelling(lambda: loop.call_soon_threadsafe(task.cancel)):
            return await work

    try:
        return asyncio.run(cancellable())
    except asyncio.CancelledError:
        return interrupts.status()


async def keep_running(service: Service, greeting: Callable[[], str], data: Path) -> int:
    """Start, print the greeting, stop at the first signal: status 0, as this is how to end it."""
    await service.start()
    try:
        # Freeze the imported objects: scanning them again and again costs CPU time.
        gc.freeze()
        print(greeting(), flush=True)
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        with contextlib.suppress(BrokenPipeError):  # the reader of the output may have died first
            print("\nstopping; the data stays in", data, flush=True)
    finally:
        await service.stop()
    return 0


def print_exports(variables: Mapping[str, str]) -> None:
    """Print the lines that a shell evaluates."""
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")


def command_line(module: str, command: str, data: Path | None, offset: int) -> str:
    """A command for the user to copy. `data` is None for the default folder."""
    options = [*(["--data", str(data)] if data else []), *(["--port-offset", str(offset)] if offset else [])]
    return shlex.join([_python(), "-m", module, command, *options])


def _greeting(cloud: "LocalCloud") -> str:
    ports, data = cloud.ports, None if cloud.data == DATA.resolve() else cloud.data
    return f"""The local cloud is up.

Cloud Storage  http://{HOST}:{ports.storage}  https://{HOST}:{ports.storage_tls}
Pub/Sub        {HOST}:{ports.pubsub_grpc} (gRPC)  http://{HOST}:{ports.pubsub}  https://{HOST}:{ports.pubsub_tls}
Cloud Tasks    {HOST}:{ports.tasks_grpc} (gRPC)  http://{HOST}:{ports.tasks}

In another shell, in this folder, for gsutil, gcloud and Google's libraries:
eval "$({command_line("localcloud", "env", data, ports.offset)})"

Ctrl-C stops it. The data stays in {cloud.data}; this deletes it:
{command_line("localcloud", "reset", data, 0)}"""


def _python() -> str:
    """The interpreter as a user would type it."""
    path = Path(sys.executable)
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _parser(
    module: str, description: str, commands: Mapping[str, Command], data: Path, offset: Callable[[str], int]
) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in commands.items():
        subparser = subparsers.add_parser(name, help=command.help, description=command.help)
        subparser.set_defaults(run=command.run)
        subparser.add_argument("--data", type=Path, default=data, metavar="DIR", help=f"the data folder (default: {data.name})")
        subparser.add_argument("--port-offset", type=offset, default=0, metavar="N", help="move every port by N (default: 0)")
        command.add_options(subparser)
    return parser
