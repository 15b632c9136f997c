"""`python -m local up | env | demo | fault | reset`: the local cloud with Sluice on it, from the command line."""

import argparse
import asyncio
import gc
import shlex
import shutil
import signal
import sys
from pathlib import Path

from local import demo
from local.children import ChildFailed
from local.stack import ROOT, Stack, client_environment
from localcloud.address import Ports
from localcloud.faults.command import add_arguments, fault
from localcloud.folder import FolderInUse, claim
from localcloud.server import PortInUse


def main() -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args()
    try:
        return int(options.run(options))
    except (PortInUse, FolderInUse, ChildFailed, demo.DemoFailed) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="Sluice and its cloud on this machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, words in (
        ("up", up, "start everything, print how to use it, stop on Ctrl-C"),
        ("env", env, 'print what a shell needs: eval "$(python -m local env)"'),
        ("demo", run_demo, "send a photograph through all three doors and print what came out"),
        ("fault", fault, "plant a fault in the running local cloud: lose, repeat, delay, refuse, cut, freeze"),
        ("reset", reset, "forget everything: delete the data folder"),
    ):
        command = commands.add_parser(name, help=words, description=words)
        command.set_defaults(run=run)
        command.add_argument("--data", type=Path, default=ROOT / ".local", help="where everything is kept (default: .local)")
        command.add_argument("--port-offset", type=int, default=0, metavar="N", help="move every port by N (default: 0)")
        if run is fault:
            add_arguments(command)
        if run is up:
            command.add_argument(
                "--cloud-only", action="store_true", help="storage, Pub/Sub and Cloud Tasks without Sluice's functions"
            )
            command.add_argument("--functions", type=Path, default=ROOT / "functions", help="folder of the functions' folders")
    return parser


def up(options: argparse.Namespace) -> int:
    """Run until interrupted."""
    return asyncio.run(_up(options))


async def _up(options: argparse.Namespace) -> int:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    stack = Stack(options.data, options.port_offset, options.functions)
    await stack.start(with_functions=not options.cloud_only)
    # What is there by now stays: the garbage collector need not look at it again and again.
    gc.freeze()
    print("ready" if options.cloud_only else demo.how_to_use(stack), flush=True)
    await stopped.wait()
    print("\nstopping; everything is kept in", stack.data, flush=True)
    await stack.stop()
    return 0


def env(options: argparse.Namespace) -> int:
    """Print export lines; the stack need not run."""
    options.data.mkdir(parents=True, exist_ok=True)
    for name, value in client_environment(options.data, Ports(options.port_offset)).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def run_demo(options: argparse.Namespace) -> int:
    """Start the stack, walk through the doors, stop it."""
    return asyncio.run(demo.run(options.data, options.port_offset))


def reset(options: argparse.Namespace) -> int:
    """Delete the data folder, resumable-upload trackers of the clients included."""
    with claim(options.data):
        shutil.rmtree(options.data)
    print(f"deleted {options.data}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
