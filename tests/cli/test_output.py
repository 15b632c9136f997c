"""Colours and progress: on a terminal only, and not where NO_COLOR or --quiet forbids them."""

import os
import pty
import subprocess
import sys
from contextlib import suppress

import pytest

from cli import output
from cli.output import Output
from shared.settings import ROOT

BAR = "[print(x) for x in Output(is_quiet={quiet}).progress([1, 2, 3], {count}, 'working')]"


def on_a_terminal(code: str, **variables: str) -> str:
    """The screen of a terminal on which this code has run."""
    screen, terminal = pty.openpty()
    command = [sys.executable, "-c", f"import click\nfrom cli import output\nfrom cli.output import Output\n{code}"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm", **variables}
    subprocess.run(command, env=environment, stdout=terminal, stderr=terminal, timeout=60, check=True)
    os.close(terminal)
    shown = b""
    with suppress(OSError):  # the end of what was written
        while block := os.read(screen, 4096):
            shown += block
    os.close(screen)
    return shown.decode()


def test_a_verdict_is_coloured_on_a_terminal() -> None:
    code = "print(output.colored('failed  a.png  dead ')); print(output.colored('a-failed-name.png'))"

    assert on_a_terminal(code).split("\r\n")[:2] == ["\x1b[31mfailed\x1b[0m  a.png  dead ", "a-failed-name.png"]
    assert on_a_terminal(code, NO_COLOR="1").split("\r\n")[0] == "failed  a.png  dead "


def test_a_name_steers_no_terminal_and_reaches_a_pipe_unchanged(capsys: pytest.CaptureFixture[str]) -> None:
    row, names = {"object": "a\x1b[31m\x9b.png"}, ["gs://b/\u202egnp"]
    Output("name").row(row, "object")
    Output("name").document({}, "", names)
    code = f"Output('name').row({row!r}, 'object'); Output('name').document({{}}, '', {names!r})"
    note = f"Output().note('gone: ' + {row['object']!r} + chr(10) + 'and others')"

    assert capsys.readouterr().out == "a\x1b[31m\x9b.png\ngs://b/\u202egnp\n"
    assert on_a_terminal(code) == "a\\x1b[31m\\x9b.png\r\ngs://b/\\u202egnp\r\n"
    assert on_a_terminal(note) == "gone: a\\x1b[31m\\x9b.png\r\nand others\r\n"


@pytest.mark.parametrize("count", [3, 0])
def test_a_terminal_gets_a_bar(count: int) -> None:
    assert "working" in on_a_terminal(BAR.format(quiet=False, count=count))


def test_quiet_leaves_neither_bar_nor_notes() -> None:
    code = BAR.format(quiet=True, count=3) + "\nOutput(is_quiet=True).note('a note')"

    assert on_a_terminal(code).split() == ["1", "2", "3"]


def test_a_pipe_gets_no_colours_and_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    items = list(Output().progress([1, 2, 3], 3, "working"))

    assert (output.colored("failed"), items, capsys.readouterr().err) == ("failed", [1, 2, 3], "")
