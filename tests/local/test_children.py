"""When a child that ended is started again, and that none outlives its parent for long."""

import asyncio
import os
import signal
import subprocess
from pathlib import Path

import pytest

from local import children
from local.children import Child, ChildFailed, next_pause
from localcloud.cli import child
from shared.settings import ROOT
from tests.ports import free_port


def test_the_pause_before_a_restart_grows_while_the_child_keeps_ending() -> None:
    pauses = [0.0]
    for _ in range(7):
        pauses.append(next_pause(pauses[-1], lived_seconds=2))

    assert pauses[1:] == [1, 2, 4, 8, 16, 30, 30]


def test_a_child_that_has_lived_long_enough_is_started_again_soon() -> None:
    assert next_pause(16, lived_seconds=31) == 1


def test_a_child_that_never_listens_fails_with_the_end_of_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "START_SECONDS", 0.5)
    monkeypatch.setattr(children, "STOP_SECONDS", 0.1)
    log = tmp_path / "log"
    log.write_text("a line\n")

    async def run() -> None:
        silent = Child("silent", free_port(), log)
        await silent.start("tests.local.stubborn", (), ROOT, dict(os.environ))
        try:
            await silent.listening()
        finally:
            await silent.stop()

    with pytest.raises(ChildFailed, match=f"^silent takes no connection after 0.5 s; the end of {log}:\na line"):
        asyncio.run(run())


def test_a_child_that_refuses_to_end_is_killed_soon_after_its_parent() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(child.command("tests.local.stubborn"), stdin=pipe, stdout=pipe, start_new_session=True) as stubborn:
        assert stubborn.stdin
        assert stubborn.stdout
        assert stubborn.stdout.readline() == b"ready\n"
        stubborn.stdin.close()
        try:
            status = stubborn.wait(timeout=4 * child.STOP_SECONDS)
        finally:
            stubborn.kill()

    assert status == -signal.SIGKILL
