"""The program itself: its own process, its settings, and a cloud that does not answer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from google.api_core.exceptions import Forbidden, PermissionDenied
from google.api_core.exceptions import Unauthorized as Google401
from google.auth.exceptions import RefreshError

from cli import exits
from cli.exits import Code
from cli.options import STATES
from deploy import services
from local.environment import CHOSEN, client_environment
from localcloud.address import Ports
from shared import settings as configuration
from shared.errors import BadConfiguration, Unavailable
from shared.settings import ROOT
from tests.cli.conftest import Sluice
from tests.conftest import ENVIRONMENT
from tests.ports import free_port
from tests.unit.deploy.example import deployment


def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line in a process with this environment only."""
    command = [sys.executable, "-m", "cli", *arguments]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_help_says_what_each_command_does_and_what_each_exit_code_means() -> None:
    done = run("--help")

    assert (done.returncode, done.stderr) == (0, "")
    for code in Code:
        assert f" {int(code)} " in done.stdout
    assert "rerun" in done.stdout


@pytest.mark.parametrize("group", [(), ("dead-letters",), ("webhooks",), ("backfill",)])
def test_help_cuts_no_summary_of_a_command(sluice: Sluice, monkeypatch: pytest.MonkeyPatch, group: tuple[str, ...]) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    commands = sluice(*group, "--help").out.partition("Commands:")[2]

    assert "ls" in commands
    assert "..." not in commands


@pytest.mark.parametrize("command", ["ls", "rerun", "cost"])
def test_help_lists_the_verdicts(sluice: Sluice, command: str) -> None:
    words = sluice(command, "--help").out.replace(".", "").replace(",", "").split()

    assert set(STATES) <= set(words)


def test_a_missing_setting_names_the_lines_that_set_it() -> None:
    done = run("ls")

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("error: set GOOGLE_CLOUD_PROJECT (project id)")
    assert 'eval "$(./deploy.sh env --project ID)"' in done.stderr
    assert 'eval "$(python -m local env)"' in done.stderr


def test_a_local_cloud_that_is_down_is_named_at_once() -> None:
    address = f"127.0.0.1:{free_port()}"

    done = run("ls", STORAGE_EMULATOR_HOST=f"http://{address}", **ENVIRONMENT)

    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr == f"error: the local cloud does not answer at {address}; start it: make up\n"


def test_an_interrupt_during_the_imports_ends_it_without_a_stack_trace(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")

    done = run("ls", PYTHONPATH=f"{tmp_path}:{ROOT}")

    assert (done.returncode, done.stdout, done.stderr) == (Code.INTERRUPTED, "", "")


def test_a_command_alone_shows_how_to_use_it(sluice: Sluice) -> None:
    for arguments in ((), ("dead-letters",)):
        done = sluice(*arguments)

        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("Usage: ./sluice")


def test_a_reader_that_has_seen_enough_is_no_failure() -> None:
    command = f"{sys.executable} -m cli --help | head -1"

    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        (
            Forbidden("ann@example.com does not have storage.objects.list access to the bucket."),
            "you lack the right storage.objects.list; ask the owner of the project to make you an operator",
        ),
        (PermissionDenied("User not authorized to perform this action."), "you lack a right; ask the owner of the project"),
        (Google401("Invalid Credentials"), "no valid credentials; log in: gcloud auth application-default login"),
        (RefreshError("Reauthentication is needed."), "no valid credentials; log in: gcloud auth application-default login"),
    ],
)
def test_a_refusal_says_which_right_is_missing_or_to_log_in(cause: Exception, sentence: str) -> None:
    error = Unavailable("bucket results is unavailable (Forbidden); retry")
    error.__cause__ = cause

    code, shown = exits.of(error)

    assert code == Code.UNREACHABLE
    assert shown.startswith(f"bucket results is unavailable (Forbidden): {sentence}")


@pytest.mark.parametrize(
    ("codes", "worst"),
    [([], 0), ([0, 0], 0), ([3], 3), ([3, 3], 3), ([0, 3], 1), ([4, 3], 1), ([1], 1)],
)
def test_several_outcomes_have_one_code(codes: list[int], worst: int) -> None:
    assert exits.worst(map(Code, codes)) == worst


def test_a_wrong_setting_is_a_matter_of_usage() -> None:
    assert exits.of(BadConfiguration("SLUICE_QUEUE_AUTH is 'x'; set it to `task` or `queue`"))[0] == Code.USAGE


def test_the_local_environment_has_all_that_the_command_line_needs(tmp_path: Path) -> None:
    settings = configuration.load(client_environment(tmp_path, Ports(0)))

    settings.require("processor_urls", "tasks_account", "tasks_endpoint", "status_url")
    assert settings.pipeline.is_absolute()


def test_the_local_environment_leaves_no_name_of_a_deployment_in_a_shell(tmp_path: Path) -> None:
    """The others are read by services alone, or by the stack from the same shell too."""
    deployed, local = services.settings(deployment(tmp_path)), client_environment(tmp_path / "data", Ports(0))

    of_services = {"SLUICE_CLOCK_ACCOUNT", "SLUICE_PUSH_ACCOUNT", "SLUICE_URL_SECONDS"}
    assert deployed.keys() - local.keys() - of_services <= set(CHOSEN)


def test_the_program_may_be_a_link(tmp_path: Path) -> None:
    link = tmp_path / "sluice"
    link.symlink_to(ROOT / "sluice")

    done = subprocess.run([str(link), "--help"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: ./sluice")
