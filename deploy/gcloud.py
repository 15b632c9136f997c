"""One call of gcloud: its words, its look for a reader, its result; and several lists read side by side."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from deploy.errors import Unreadable

#: The words after `gcloud`.
Command = list[str]
SIDE_BY_SIDE = int(os.environ.get("SIDE_BY_SIDE", "6"))
LINE = 140


def shown(command: Command) -> str:
    """The command as a user would type it, wrapped after 140 characters."""
    lines = [""]
    for word in map(shlex.quote, ["gcloud", *command]):
        if len(lines[-1]) + len(word) > LINE:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return " \\\n    ".join(lines)


def call(command: Command) -> "subprocess.CompletedProcess[str]":
    """Run gcloud to its end. It has a process group of its own, so that Ctrl-C does not cut a change in half."""
    return subprocess.run(
        ["gcloud", *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        process_group=0,
    )


@contextmanager
def workers() -> Iterator[ThreadPoolExecutor]:
    """Threads for calls side by side. The end of the block waits for running calls and drops the others."""
    pool = ThreadPoolExecutor(SIDE_BY_SIDE)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def read(commands: dict[str, Command]) -> dict[str, Any]:
    """The JSON that each command prints, by the same keys. Raises Unreadable, with all errors, when one fails."""
    with workers() as pool:
        done = dict(zip(commands, pool.map(call, ([*command, "--format=json"] for command in commands.values())), strict=True))
    found, errors = {}, []
    for kind, command in commands.items():
        try:
            found[kind] = _parsed(done[kind])
        except ValueError as error:
            errors.append(f"\n{shown(command)}\n  " + str(error).strip().replace("\n", "\n  "))
    if errors:
        raise Unreadable(
            "\n".join(["the state cannot be read; nothing was changed.", *errors, f"\nread so far: {' '.join(commands)}"])
        )
    return found


def _parsed(done: "subprocess.CompletedProcess[str]") -> Any:
    if done.returncode:
        raise ValueError(done.stderr)
    return json.loads(done.stdout or "null")
