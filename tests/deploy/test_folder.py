"""The folder of a deployment's rendered files: one command at a time uses it, and no accident blocks it."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.alone import alone
from deploy.errors import Failed
from deploy.options import Options
from shared.settings import ROOT
from tests.eventually import eventually

Begin = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Start a plan whose gcloud is this shell script, in a process group of its own.

    A script may wait for the file `go`, which is written at the end of the test.
    """

    def start(script: str) -> "subprocess.Popen[str]":
        new = tmp_path / "gcloud.new"
        new.write_text(f"#!/bin/sh\n{script}\n")
        new.chmod(0o755)
        new.replace(tmp_path / "gcloud")  # a file that a killed command just starts cannot be written
        environment = {
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "DEPLOY_FOLDER": str(tmp_path / "work"),
            "HOME": str(tmp_path),
        }
        command = ["bash", str(ROOT / "deploy.sh"), "plan", "--project", "demo-project"]
        return subprocess.Popen(
            command,
            env=environment,
            cwd=ROOT,
            text=True,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    yield start
    (tmp_path / "go").touch()


def complaints(process: "subprocess.Popen[str]") -> str:
    return process.communicate(timeout=60)[1]


def test_a_second_command_is_refused_while_the_first_runs(tmp_path: Path, begin: Begin) -> None:
    """The first one's gcloud runs the second, with which it would share a folder."""
    second = f"bash {ROOT}/deploy.sh status --project demo-project 2>>{tmp_path}/second"
    first = complaints(begin(f'{second}\necho "refused: $?" >>{tmp_path}/second\nexit 1'))
    said = (tmp_path / "second").read_text()

    assert "the state cannot be read" in first
    refusal = re.search(
        r"error: plan, process (\d+), has been at work on demo-project, prefix sluice, for \d+ seconds: wait", said
    )
    assert refusal
    assert f"To stop it, say kill -INT {refusal[1]}: " in said
    assert said.count("refused: 1\n") == said.count("at work on"), "it asked gcloud nothing"
    assert "at work on" not in complaints(begin("exit 1")), "the next one may begin"


def test_a_refusal_says_for_how_long_the_other_command_has_been_at_work(tmp_path: Path) -> None:
    options = Options("up", project="demo-project")
    with alone(options, tmp_path):
        hour_ago = time.time() - 3600
        os.utime(tmp_path / "lock", (hour_ago, hour_ago))
        with pytest.raises(Failed, match="for 60 minutes: wait"), alone(options, tmp_path):
            pass
    with alone(options, tmp_path):
        assert (tmp_path / "lock").read_text() == f"up {os.getpid()}"


def test_a_command_that_was_killed_blocks_no_other(tmp_path: Path, begin: Begin) -> None:
    killed = begin(f"touch {tmp_path}/begun; while [ ! -e {tmp_path}/go ]; do sleep 0.1; done; exit 1")
    eventually((tmp_path / "begun").exists)
    killed.kill()
    killed.communicate(timeout=60)
    next_one = complaints(begin("exit 1"))

    assert "at work on" not in next_one
    assert "the state cannot be read" in next_one


def test_ctrl_c_ends_what_has_begun_and_begins_nothing_more(tmp_path: Path, begin: Begin) -> None:
    stopped = begin(
        f"echo begun >>{tmp_path}/calls; while [ ! -e {tmp_path}/go ]; do sleep 0.1; done; echo ended >>{tmp_path}/calls; exit 1"
    )
    calls = tmp_path / "calls"
    eventually(calls.exists)
    os.killpg(stopped.pid, signal.SIGINT)
    assert stopped.stderr
    said = stopped.stderr.readline()
    with pytest.raises(subprocess.TimeoutExpired):
        stopped.wait(1)
    (tmp_path / "go").touch()
    stopped.communicate(timeout=60)
    words = calls.read_text().split()

    assert said == "stopping; what has begun is ended first\n"
    assert stopped.returncode == 130
    assert words.count("begun") == words.count("ended") > 0


def test_a_list_that_is_not_json_is_not_taken_for_an_empty_one(begin: Begin) -> None:
    done = begin("echo no JSON")

    assert "the state cannot be read" in complaints(done)
    assert done.returncode == 2
