"""The commands of `python -m local`: those of the local cloud, with Sluice on it.

A command imports the servers, or Google's clients, only when it runs: `env`, `reset` and mistakes need not wait a second for them.
"""

import argparse
import os
from pathlib import Path

from local.environment import DATA, client_environment
from local.pipeline import ROOT
from local.services import SWEEP_SECONDS, all_ports
from localcloud.address import Ports
from localcloud.cli.command import CALLS, FAULT, RESET, Command, keep_running, print_exports, run_command, run_interruptible
from shared import setting_values
from shared.errors import BadConfiguration


def main() -> int:
    """Run `python -m local`; gives the exit status."""
    commands = {
        "up": Command(up, "start everything, print how to use it, stop on Ctrl-C", _add_options_of_up),
        "env": Command(env, 'print export lines for a shell: eval "$(python -m local env)"'),
        "demo": Command(run_demo, "send files through three doors and two stages, and print the results"),
        "hostile": Command(
            run_hostile, "send a folder of files through the running stack, print how each ended", _add_hostile_options
        ),
        "fault": FAULT,
        "calls": CALLS,
        "reset": RESET,
    }
    return run_command("local", "Sluice and its cloud on this machine.", commands, DATA, all_ports(Ports()))


def up(options: argparse.Namespace) -> int:
    """Run the stack until a signal comes."""
    from local import usage
    from local.stack import Stack

    stack = Stack(options.data, options.port_offset, options.functions, options.origins, options.sweep_seconds)
    return run_interruptible(keep_running(stack, lambda: usage.how_to_use(stack), stack.data))


def env(options: argparse.Namespace) -> int:
    """Print export lines; the stack need not run."""
    print_exports(client_environment(options.data, Ports(options.port_offset)))
    return 0


def run_demo(options: argparse.Namespace) -> int:
    """Start the stack, send a picture through each door, stop it."""
    from local import demo

    return run_interruptible(demo.run(options.data, options.port_offset))


def run_hostile(options: argparse.Namespace) -> int:
    """Send files through the stack that runs already."""
    from local import hostile

    return hostile.run(options.folder, options.data, options.port_offset, options.deadline)


def _add_options_of_up(parser: argparse.ArgumentParser) -> None:
    help_text = "folder with a folder per function (default: functions)"
    parser.add_argument("--functions", type=Path, default=ROOT / "functions", metavar="DIR", help=help_text)
    help_text = (
        "web pages that may call the services and use signed URLs, such as http://localhost:3000 (default: $SLUICE_ORIGINS)"
    )
    help_seconds = "seconds between two sweeps, which queue again what was lost (default: 600)"
    parser.add_argument("--sweep-seconds", type=_seconds, default=SWEEP_SECONDS, metavar="N", help=help_seconds)
    default = os.environ.get("SLUICE_ORIGINS", "")
    parser.add_argument("--origins", type=_origins, default=default, metavar="LIST", help=help_text)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 1 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 86400")
    return seconds


def _origins(text: str) -> tuple[str, ...]:
    try:
        return setting_values.origins("the list", text)
    except BadConfiguration as error:
        raise argparse.ArgumentTypeError(error.message) from None


def _add_hostile_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="every file in it and below is sent")
    help_text = "seconds to wait for verdicts after the last upload (default: 600)"
    parser.add_argument("--deadline", type=float, default=600, metavar="SECONDS", help=help_text)
