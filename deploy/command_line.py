"""The command line of deploy.sh: its commands, its options, those of its --env-file, and --help."""

import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from deploy.errors import Failed
from deploy.options import DEFAULTS, NAMED, Options, flag

COMMANDS = {
    "plan": "change nothing; print the commands that `up` would run, in their order",
    "up": "create what is missing, repair what differs, leave the rest alone; safe to repeat. An option that is not\n"
    "           given keeps the value of the last up; empty, such as --notify=, it has its default again. It asks before it\n"
    "           resumes queues that an operator paused, and before a changed option takes access or data away; --yes says yes",
    "verify": "send a photograph through every door and wait for its notices (--local: through the running `make up`)",
    "status": "list what is deployed, and whether `up` would change anything",
    "env": 'print export lines for ./sluice: eval "$(./deploy.sh env --project ID)"',
    "doctor": "look for common faults and print the command that mends each",
    "down": "remove everything but the buckets and the queues with their tasks (--delete-data: these too, after\n"
    "           you have typed the prefix, or with --yes)",
}
STATUS = "Status: 0 success; 1 something was refused or is wrong; 2 the state could not be read, and nothing was changed."
#: The values of options that are given without one.
IMPLIED = {"allow_unauthenticated": "issuer,upload", "no_invoker_iam_check": "yes"}
SWITCHES = ("local", "delete_data", "yes")


def parse(arguments: list[str], folder: Path) -> Options:
    """The options of a command line, then those of its --env-file, which may be relative to `folder`.

    An option that is given empty has its default.
    """
    given: dict[str, str] = {}
    switches: dict[str, bool] = {}
    command, waiting = "", list(arguments)
    while waiting:
        word = waiting.pop(0)
        named, equals, value = word.removeprefix("--").partition("=")
        name = named.replace("-", "_")
        if word in ("-h", "--help", "help"):
            print(usage(), flush=True)
            sys.exit()
        if not word.startswith("--"):
            if command:
                raise Failed(f"one command at a time: {command} or {word}")
            command = word
        elif name in SWITCHES and not equals:
            switches[name] = True
        elif name in IMPLIED and not equals:
            given[name] = IMPLIED[name]
        else:
            given[_known(word, name)] = value if equals else _next(word, waiting)
    if command not in COMMANDS:
        raise Failed("which command? ./deploy.sh --help lists them")
    every = _env_file(given.get("env_file", ""), folder) | given
    values: dict[str, Any] = {name: value or DEFAULTS[name] for name, value in every.items()}
    return Options(command, given=frozenset(every), **values | switches)


def _known(word: str, name: str) -> str:
    if name not in NAMED:
        raise Failed(f"{word.partition('=')[0]} is no option; ./deploy.sh --help lists them")
    return name


def _next(word: str, waiting: list[str]) -> str:
    if not waiting:
        raise Failed(f"{word} takes a value")
    return waiting.pop(0)


def _env_file(name: str, folder: Path) -> dict[str, str]:
    """The lines NAME=VALUE of a file; it is read, not run."""
    if not name:
        return {}
    try:
        lines = [line.strip() for line in (folder / name).read_text().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise Failed(f"--env-file {name} cannot be read") from error
    return dict(_assignment(line, name) for line in lines if line and not line.startswith("#"))


def _assignment(line: str, file: str) -> tuple[str, str]:
    name, equals, value = line.partition("=")
    if not equals or name != name.upper() or name.lower() not in NAMED:
        raise Failed(f"{file}: {line}: write NAME=VALUE with an option's name in capitals")
    return name.lower(), value


def usage() -> str:
    """The text of --help."""
    commands = "\n".join(f"  {name:8} {meaning}" for name, meaning in COMMANDS.items())
    return f"Usage: ./deploy.sh COMMAND [OPTION...]\n\nCommands\n{commands}\n{''.join(map(_help, fields(Options)))}\n{STATUS}"


def _help(option: Any) -> str:
    if option.name not in NAMED:
        return ""
    about = option.metadata
    default = f"default: {option.default}; " if option.default else ""
    heading = f"\n{about['heading']}\n" if about["heading"] else ""
    word = f"--{flag(option.name)} {about['value']}".replace(" [", "[")
    return f"{heading}  {word:25}  {default}{about['meaning']}\n"
