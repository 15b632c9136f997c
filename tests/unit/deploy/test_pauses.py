"""A pause by `down` ends with `up`; one by an operator ends with an answer at the terminal, or with --yes."""

import io
import os
import pty
from pathlib import Path
from typing import Any

import pytest

from deploy import buckets, queues
from deploy.deployment import Deployment
from deploy.down import down
from deploy.kinds import Bucket, Queue, Subscription
from deploy.running import Runner
from deploy.status import status
from tests.unit.deploy.example import deployment
from tests.unit.deploy.test_changes import commands


def paused(tmp_path: Path, by_down: frozenset[str] = frozenset(), **options: Any) -> Deployment:
    """Both queues are paused, and the uploads bucket is there."""
    it = deployment(tmp_path, **options)
    it.state.queues = {"sluice-images": Queue(state="PAUSED"), "sluice-digests": Queue(state="PAUSED")}
    it.state.buckets = {"demo-project-sluice-uploads": Bucket(paused=by_down)}
    return it


def test_down_labels_the_queues_that_it_pauses_before_it_pauses_them(tmp_path: Path) -> None:
    it = paused(tmp_path, command="down")
    it.state.queues["sluice-digests"] = Queue(state="RUNNING")
    printed = io.StringIO()
    down(it, Runner(None, printed))
    labels, pause = "--update-labels=paused-digests=by-down", "tasks queues pause sluice-digests"

    assert 0 < printed.getvalue().find(labels) < printed.getvalue().find(pause)
    assert "images=by-down" not in printed.getvalue()


@pytest.mark.parametrize("delete_data", [False, True])
def test_down_promises_no_sweep_for_files_that_it_deletes(
    delete_data: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    it = paused(tmp_path, command="down", delete_data=delete_data, yes=True)
    it.state.subscriptions["sluice-dispatcher"] = Subscription("sluice-uploads")
    down(it, Runner(None, io.StringIO()))

    assert ("a sweep after the next up" in capsys.readouterr().err) != delete_data


def test_a_pause_of_down_is_resumed_unasked(tmp_path: Path) -> None:
    it = paused(tmp_path, frozenset({"images", "digests"}))
    queues.hold(it)

    assert it.held == set()
    assert commands(queues.resume_queues(it))[-1].endswith("--remove-labels=paused-digests,paused-images")


@pytest.mark.parametrize("command", ["up", "plan", "status"])
def test_a_script_leaves_an_operators_pause_alone(tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    it = paused(tmp_path, frozenset({"digests"}), command=command)
    queues.hold(it)

    assert it.held == {"images"}
    assert [line for line in commands(queues.resume_queues(it)) if "images" in line] == []
    assert ("paused by an operator: images. They stay paused" in capsys.readouterr().err) == (command == "up")


def test_status_says_which_pause_is_an_operators(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    it = paused(tmp_path, frozenset({"digests"}), command="status")
    queues.hold(it)
    status(it)
    shown = [line for line in capsys.readouterr().out.splitlines() if "PAUSED" in line]

    assert ["by an operator" in line for line in shown] == [True, False]


def test_with_yes_an_operators_pause_ends(tmp_path: Path) -> None:
    it = paused(tmp_path, yes=True)
    queues.hold(it)

    assert len([line for line in commands(queues.resume_queues(it)) if "queues resume" in line]) == 2


@pytest.mark.parametrize(("answer", "held"), [("y", set()), ("YES ", set()), ("n", {"images"}), ("", {"images"})])
def test_at_a_terminal_up_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, held: set[str]) -> None:
    keyboard, terminal = pty.openpty()
    os.write(keyboard, f"{answer}\n".encode())
    it = paused(tmp_path, frozenset({"digests"}))
    with open(terminal) as stdin:  # noqa: PTH123 (a descriptor, not a path)
        monkeypatch.setattr("sys.stdin", stdin)
        queues.hold(it)
    os.close(keyboard)

    assert it.held == held


def test_the_label_of_a_queue_that_runs_is_taken_off(tmp_path: Path) -> None:
    it = paused(tmp_path, frozenset({"images", "gone"}))
    it.state.queues = {"sluice-images": Queue(state="RUNNING"), "sluice-digests": Queue(state="RUNNING")}

    assert commands(queues.resume_queues(it)) == [
        "storage buckets update gs://demo-project-sluice-uploads --remove-labels=paused-gone,paused-images"
    ]


def test_a_new_uploads_bucket_remembers_the_queues_that_were_left_paused(tmp_path: Path) -> None:
    it = paused(tmp_path)
    it.state.buckets = {}
    queues.hold(it)

    assert it.held == set()
    assert commands(buckets.bucket(it, "uploads", "7d", "0"))[-1].endswith(
        "--update-labels=sluice=sluice,paused-images=by-down,paused-digests=by-down"
    )
    assert not any("paused-" in command for command in commands(buckets.bucket(it, "results", "7d", "0")))
