"""Every `./sluice …` that a page or an alert prints is one that the command line takes."""

import json
import re
import shlex
from collections.abc import Iterator

import click
import pytest

from cli.backfills import backfill
from cli.program import sluice
from shared.settings import ROOT
from tests.unit.test_pages import PAGES

#: The changelog only names commands.
PRINTING = [name for name in PAGES if name != "CHANGELOG.md"]
ALERTS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "deploy" / "alerts").glob("*.json"))
#: On a line of its own, up to a comment or another command; or between backticks.
_LINE = re.compile(r"^(\./sluice [^#|&\n]+)", re.MULTILINE)
_INLINE = re.compile(r"`(\./sluice [^`|]+)")


def text(name: str) -> str:
    """A page, or the advice of an alert."""
    found = (ROOT / name).read_text()
    return str(json.loads(found)["documentation"]["content"]) if name.endswith(".json") else found


def faults(text: str) -> Iterator[str]:
    """The commands that the command line refuses, with reasons. Within a sentence, a command may stand alone."""
    for line in _LINE.findall(text):
        yield from fault(line, may_be_bare=False)
    for line in _INLINE.findall(text):
        yield from fault(line, may_be_bare=True)


def fault(line: str, *, may_be_bare: bool) -> Iterator[str]:
    """The reason why the command line refuses this line, if it does."""
    words = shlex.split(line)[1:]
    command: click.Command = sluice
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    if command is backfill:
        command = backfill.commands["begin"]  # a prefix
    if may_be_bare and not words and command is not sluice:
        return
    try:
        command.make_context(command.name, words)
        if isinstance(command, click.Group):
            yield f"{line}: no such command"
    except click.exceptions.Exit:  # --help
        pass
    except click.UsageError as error:
        yield f"{line}: {error.format_message()}"


@pytest.mark.parametrize("name", [*PRINTING, *ALERTS])
def test_the_command_line_takes_what_is_printed(name: str) -> None:
    assert list(faults(text(name))) == []


def test_the_commands_are_found() -> None:
    found = [name for name in [*PRINTING, *ALERTS] if "./sluice" in text(name)]

    assert {"README.md", "docs/operations.md", "docs/deploy.md", "deploy/alerts/stalled-queue.json"} <= set(found)
    assert len(_LINE.findall(text("docs/operations.md"))) > 30


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        ("./sluice ls --state processing\n", "No such option"),
        ("see `./sluice lost`", "no such command"),
        ("./sluice show    # a name is missing\n", "Missing argument"),
        ("`./sluice rerun --plan new`", "'new' is not one of"),
    ],
)
def test_a_planted_fault_is_found(printed: str, why: str) -> None:
    (found,) = faults(printed)

    assert why in found
