"""The folder in which one command at a time keeps what it reads and renders."""

import os
import re
import subprocess
from pathlib import Path

from shared.settings import ROOT


def bash(script: str, folder: Path, path: str = "") -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": f"{path}:{os.environ['PATH']}", "DEPLOY_FOLDER": str(folder / "work"), "HOME": str(folder)}
    return subprocess.run(["bash", "-c", script], env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_second_command_is_told_which_is_at_work_and_leaves_its_files_alone(tmp_path: Path) -> None:
    """The first one's gcloud runs the second, with which it would share a folder."""
    second = f"bash {ROOT}/deploy.sh status --project demo-project 2>>{tmp_path}/second"
    gcloud = tmp_path / "gcloud"
    gcloud.write_text(f'#!/bin/sh\n{second}\necho "refused: $?" >>{tmp_path}/second\nexit 1\n')
    gcloud.chmod(0o755)
    first = bash("./deploy.sh plan --project demo-project", tmp_path, str(tmp_path))
    said = (tmp_path / "second").read_text()

    assert "the state cannot be read" in first.stderr
    assert re.search(r"error: plan, process \d+ is at work on demo-project, prefix sluice", said)
    assert said.count("refused: 1\n") == said.count("is at work on"), "it asked gcloud nothing"
    assert not list((tmp_path / "work").glob("lock*")), "the next one may begin"


def test_a_list_that_is_gone_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    done = bash("set -Eeuo pipefail; source deploy/state.sh; WORK=$DEPLOY_FOLDER; load bucket; echo went on", tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert "what was read of bucket is gone" in done.stderr
