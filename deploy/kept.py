"""The options of the last `up`, kept as an env-file in the build bucket, where only those who deploy may write.

An option that is not given keeps its value, also one of a newer release. `down` deletes the bucket, and them with it. No option has
a secret.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from deploy import gcloud
from deploy.deployment import Deployment
from deploy.errors import Failed, Unreadable
from deploy.gcloud import Command, shown
from deploy.options import DEFAULTS, NAMED, Options, flag

FILE = "options.env"
HEADING = "# Options of ./deploy.sh up; the next one uses those that it is not given. See docs/deploy.md.\n"
#: The options that find the file; all others are kept.
FINDING = ("project", "prefix", "env_file")
KEPT = [name for name in NAMED if name not in FINDING]
UNREAD = "the state cannot be read; nothing was changed."
REMEDY = "delete the object, and give all options again"
#: Stands in gcloud's output for bytes that are no UTF-8.
UNREADABLE = "\N{REPLACEMENT CHARACTER}"
#: The fault where nothing is kept.
NOTHING_KEPT = "no options of an earlier up are kept: those that are not given here are set to their defaults"
MISSING = r" not found: 404|matched no objects or files"
#: Members who lose access when they are no longer listed.
MEMBERS = ("operators", "console_viewers", "console_operators")
#: Days after which something is deleted; 0 deletes at once, or never.
DAYS = {"keep_uploads_days": "never", "keep_results_days": "never", "keep_notices_days": "at once"}


def address(options: Options) -> str:
    """The object with the options of this deployment."""
    return f"gs://{options.project}-{options.prefix}-build/{FILE}"


def read(options: Options) -> dict[str, str] | None:
    """The options that are kept, None where there is no file. Raises Unreadable."""
    command = ["storage", "cat", address(options)]
    with gcloud.workers() as pool:  # Ctrl-C ends a call of the main thread halfway
        done = pool.submit(gcloud.call, command).result()
    if done.returncode and not re.search(MISSING, done.stderr):
        raise Unreadable(f"{UNREAD}\n\n{shown(command)}\n  {done.stderr.strip()}")
    return None if done.returncode else dict(_known(done.stdout, address(options)))


def _known(text: str, place: str) -> Iterator[tuple[str, str]]:
    """Its lines, but for options that find the file. Raises Unreadable for a damaged or empty file."""
    if not text.strip() or UNREADABLE in text:
        what = "is no text in UTF-8" if text.strip() else "is empty"
        raise Unreadable(f"{UNREAD}\n\n{place} {what}; {REMEDY}")
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if not line or line.startswith("#"):
            continue
        if not equals or not (name.lower() in KEPT or re.fullmatch("[A-Z_]+", name)):
            raise Unreadable(f"{UNREAD}\n\n{place}: '{line[:80]}' is no NAME=VALUE; correct it, or {REMEDY}")
        if name.lower() not in KEPT:
            print(f"note: the last up had the option --{flag(name.lower())}, which this release does not have", file=sys.stderr)
        if name.lower() not in FINDING:
            yield name.lower(), value


def merged(options: Options, kept: Mapping[str, str]) -> Options:
    """The options as given, and otherwise as kept."""
    values: dict[str, Any] = {name: value for name, value in kept.items() if name in KEPT and name not in options.given}
    return replace(options, **values)


def _wanted(options: Options) -> dict[str, str]:
    """Every option that differs from its default."""
    values = {name: str(getattr(options, name)) for name in KEPT}
    return {name: value for name, value in values.items() if value != DEFAULTS[name]}


def _of_other_releases(deployment: Deployment) -> dict[str, str]:
    return {name: value for name, value in (deployment.kept or {}).items() if name not in KEPT}


def keep(deployment: Deployment) -> Iterator[list[Command]]:
    """Write the options where they differ from those that are kept."""
    wanted = _wanted(deployment.options) | _of_other_releases(deployment)
    if deployment.kept != wanted:
        lines = [f"{name.upper()}={value}\n" for name, value in wanted.items()]
        yield [["storage", "cp", deployment.write(FILE, HEADING + "".join(lines)), address(deployment.options)]]


def notes(deployment: Deployment) -> Iterator[str]:
    """A line for each option that is kept or that changes."""
    options, kept = deployment.options, deployment.kept or {}
    for name, old, new in _changes(deployment):
        yield f"--{flag(name)}: {old or 'nothing'} → {new or 'nothing'}"
    for name, value in _wanted(options).items():
        if name not in options.given and kept.get(name) == value:
            yield f"--{flag(name)} {value}"


def announce(deployment: Deployment) -> None:
    """Before the commands that change something or show it: print these lines."""
    if lines := list(notes(deployment)):
        print("Options kept since the last up, and changes of them:", *lines, sep="\n  ", flush=True)
    if deployment.options.command != "up":
        for line in _taken_away(deployment):
            print(f"note: {line}", file=sys.stderr, flush=True)


def _changes(deployment: Deployment) -> Iterator[tuple[str, str, str]]:
    """The name, the kept value and the new value of each option that differs from what is kept."""
    if deployment.kept is not None:
        for name in KEPT:
            old, new = deployment.kept.get(name, DEFAULTS[name]), str(getattr(deployment.options, name))
            if old != new:
                yield name, old, new


def confirm(deployment: Deployment) -> None:
    """Before `up` takes access or data away: ask at a terminal; a script has to pass --yes. Raises Failed."""
    taken = list(_taken_away(deployment))
    if deployment.options.command != "up" or deployment.options.yes or not taken:
        return
    text = "\n".join(taken)
    if not sys.stdin.isatty():
        raise Failed(f"{text}\nSay --yes too, or give the former value; nothing was changed")
    print(f"{text}\nGo on? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Failed("nothing was changed")


def _taken_away(deployment: Deployment) -> Iterator[str]:
    if deployment.kept is None and deployment.state.services:
        yield NOTHING_KEPT
    for name, old, new in _changes(deployment):
        yield from _taken(name, old, new)


def _taken(name: str, old: str, new: str) -> Iterator[str]:
    gone = [member for member in old.split(",") if member and member not in new.split(",")]
    if name in MEMBERS and gone:
        yield f"--{flag(name)} takes access away from {', '.join(gone)}."
    if name in DAYS and old.isdecimal() and _sooner(name, int(old), int(new)):
        yield f"--{flag(name)} deletes after {new} days; so far: {f'after {old} days' if int(old) else DAYS[name]}."


def _sooner(name: str, old: int, new: int) -> bool:
    never = DAYS[name] == "never"
    return (new or 10**6 * never) < (old or 10**6 * never)
