"""The secret of the idempotency keys: made once, of random bytes that no command shows."""

import io
from pathlib import Path

import pytest

from deploy import secret_manager
from deploy.deployment import Deployment
from deploy.kinds import Version
from deploy.running import Runner
from tests.unit.deploy.example import deployment


class Reading(Runner):
    """Keeps the commands, and what the file of each holds when it runs."""

    def __init__(self) -> None:
        super().__init__(None, io.StringIO())
        self.commands: list[str] = []
        self.values: list[str] = []
        self.modes: list[int] = []

    def start(self, job: list[list[str]]) -> None:
        (command,) = job
        path = Path(command[-1].removeprefix("--data-file="))
        self.commands.append(" ".join(command))
        self.values.append(path.read_text())
        self.modes.append(path.stat().st_mode & 0o777)


def made(it: Deployment) -> Reading:
    runner = Reading()
    secret_manager.secret(it, runner, "keys")
    return runner


def test_it_is_made_of_random_bytes_that_only_its_owner_may_read_and_that_are_deleted(tmp_path: Path) -> None:
    first, second = made(deployment(tmp_path)), made(deployment(tmp_path))

    where = "--replication-policy=user-managed --locations=us-central1 --labels=sluice=sluice"
    assert first.commands == [f"secrets create sluice-keys {where} --data-file={tmp_path}/secret-keys"]
    assert (len(bytes.fromhex(first.values[0])), first.modes) == (32, [0o600])
    assert first.values != second.values
    assert not (tmp_path / "secret-keys").exists()


def test_what_a_killed_run_left_is_not_used_again(tmp_path: Path) -> None:
    (tmp_path / "secret-keys").write_text("known to others")

    assert "known" not in made(deployment(tmp_path)).values[0]


@pytest.mark.parametrize(
    ("versions", "commands", "used"),
    [
        ((Version(1),), 0, "1"),
        ((Version(1), Version(2)), 0, "2"),
        ((Version(1), Version(2, False)), 0, "1"),
        ((Version(1, False), Version(2, False)), 1, "3"),
        ((), 1, "1"),
    ],
)
def test_services_take_the_newest_version_that_is_enabled(
    versions: tuple[Version, ...], commands: int, used: str, tmp_path: Path
) -> None:
    it = deployment(tmp_path)
    it.state.secrets["sluice-keys"], it.state.secret_labels["sluice-keys"] = versions, "sluice"
    runner = made(it)

    assert secret_manager.version(it, "keys") == used
    assert [command.split()[:4] for command in runner.commands] == [["secrets", "versions", "add", "sluice-keys"]] * commands


def test_a_secret_that_is_missing_will_have_the_version_1(tmp_path: Path) -> None:
    assert secret_manager.version(deployment(tmp_path), "keys") == "1"
