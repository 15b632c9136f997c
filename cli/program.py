"""The program `./sluice`: one command, and its exit code."""

import os
import sys
from collections.abc import Sequence

import click

from cli import backfills, exits, files, guard, notices, queues, reprocess, runs, sweeps, usage, webhooks
from cli.exits import Code
from cli.table import printable
from shared import log
from shared.model import Json


@click.group(
    name="./sluice", context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120}, epilog=exits.HELP
)
@click.option("--debug", is_flag=True, help="Print the stack trace of a failure.")
def sluice(debug: bool) -> None:
    """Find, explain and run files again, and look after the queues.

    \b
    In the cloud:  eval "$(./deploy.sh env --project ID)"
    Locally:       eval "$(python -m local env)"

    \b
    Files have failed?
      ./sluice ls --verdict failed,dead,partial --since 2h      find them
      ./sluice show NAME                                        read why
      ./sluice rerun --reason corrupt --since 2h                count and price them
      ./sluice rerun --reason corrupt --since 2h --yes          run them again
    """


#: The fields of log lines that say what a note is about.
ABOUT = ("object", "objects", "jobs", "count", "ceiling", "paused", "queue", "queues")
MODULES = (files, runs, reprocess, sweeps, backfills, guard, queues, notices, webhooks, usage)
for command in (command for module in MODULES for command in module.COMMANDS):
    sluice.add_command(command)


def main(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit code. Each failure is one sentence on stderr."""
    try:
        with log.sent_to(_note):
            return int(sluice.main(list(arguments), prog_name="./sluice", standalone_mode=False) or Code.DONE)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return Code.INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as usage_only:
        usage_only.show()
        return Code.USAGE
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Code.DONE
    except Exception as error:
        if "--debug" in arguments and not isinstance(error, click.ClickException):
            raise
        code, sentence = exits.of(error, _command(arguments))
        click.echo(f"error: {sentence}", err=True)
        return code


def _command(arguments: Sequence[str]) -> str:
    """The command of these arguments. An error of click does not always name it."""
    command: click.Command = sluice
    names = ["./sluice"]
    for word in arguments:
        if isinstance(command, click.Group) and word in command.commands:
            command = command.commands[word]
            names.append(word)
    return " ".join(names)


def _note(line: Json) -> None:
    """Print warnings and errors of the operations as notes; their other log lines are for services."""
    if line["severity"] != "INFO":
        why = line.get("error") or line.get("reason")
        about = ", ".join(f"{name} {_words(line[name])}" for name in ABOUT if line.get(name))
        sentence = f"{line['message']}{f': {why}' if why else ''}{f' ({about})' if about else ''}"
        click.echo(f"{line['severity'].lower()}: {printable(sentence)}", err=True)


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
