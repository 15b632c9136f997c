"""The commands of an operator against a running stack, and their answers."""

import json
import subprocess
from collections import Counter
from collections.abc import Mapping

from shared.settings import ROOT
from tests.eventually import eventually
from tests.machine import Machine


def sluice(machine: Machine, *arguments: str) -> str:
    """The output of a command for people: its table, then its notes."""
    done = machine.run("./sluice", *arguments)
    return done.stdout + done.stderr


def run(command: tuple[str, ...], environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """A command that may fail."""
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def states(machine: Machine, folder: str) -> Counter[str]:
    """The files of a folder by their state, as `ls` has them."""
    listed = sluice(machine, "ls", "--name", f"{folder}/**", "--limit", "1000").splitlines()
    return Counter(line.split()[0] for line in listed if f" {folder}/" in line)


def wait_for(machine: Machine, folder: str, **wanted: int) -> None:
    eventually(lambda: states(machine, folder) == wanted, f"{wanted} in {folder}", pause_seconds=0.5)


def wait_for_words(machine: Machine, words: str, *command: str) -> str:
    """The output of the command once these words are in it."""

    def look() -> str | None:
        printed = sluice(machine, *command)
        return printed if words in printed else None

    return eventually(look, words, pause_seconds=0.5)


def sweep_until_queued(machine: Machine, count: int) -> None:
    """Sweep until so many jobs were queued in all: a sweep leaves alone what was sent just before."""
    queued = 0

    def look() -> bool:
        nonlocal queued
        rows = json.loads(machine.run("./sluice", "sweep", "--format", "json").stdout)
        queued += sum(int(row["jobs"]) for row in rows if row["outcome"] == "queued")
        return queued >= count

    eventually(look, f"{count} jobs queued", pause_seconds=0.5)


def outputs(machine: Machine, name: str) -> list[str]:
    """The names of the outputs of all runs of a file."""
    printed = sluice(machine, "show", name, "--format", "name")
    return sorted(line.rpartition("/")[2] for line in printed.splitlines())
