"""The data folder: one process at a time, and no other folder is ever used or deleted."""

import json
import os
import shlex
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests

from localcloud import folder
from localcloud.database import open_database
from localcloud.errors import CannotRun
from localcloud.folder import FolderInUse, NotADataFolder, WrongLayout, claim, delete, prepare
from tests.machine import ROOT, Machine, running


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with running(Machine(tmp_path_factory.mktemp("first"), cloud_only=True)) as machine:
        yield machine


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a file in it."""
    made = prepare(tmp_path / "data")
    (made / "storage").mkdir()
    (made / "storage" / "file").touch()
    return made


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A data folder made before layout 1."""
    made = tmp_path / "old"
    (made / "tasks").mkdir(parents=True)
    (made / "lock").touch()
    with sqlite3.connect(made / "tasks" / "tasks.sqlite") as database:
        database.execute("CREATE TABLE queues (name TEXT)")
    database.close()
    return made


def but_long(shown: Sequence[Any], *others: Any) -> list[Any]:
    """Values of a parameter: a command takes a second, so the others are for the long tests."""
    return [*shown, *(pytest.param(*other, marks=pytest.mark.long) for other in others)]


def run(module: str, command: str, data: Path, offset: int = 0) -> subprocess.CompletedProcess[str]:
    """`python -m <module> <command>` to its end."""
    arguments = [sys.executable, "-m", module, command, "--data", str(data), "--port-offset", str(offset)]
    return subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("command", but_long(["up", "reset"], ["demo"]))
def test_a_folder_in_use_is_left_alone(machine: Machine, command: str) -> None:
    buckets = f"{machine.environment['STORAGE_EMULATOR_HOST']}/storage/v1/b"
    before = requests.get(buckets, timeout=60).json()
    done = run("local", command, machine.data, machine.offset + 500)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: {machine.data} is in use by the local cloud of process {machine.pid}; stop it, "
        "or use another folder and other ports: --data FOLDER --port-offset 1000\n"
    )
    assert requests.get(buckets, timeout=60).json() == before


def test_a_port_in_use_is_named(machine: Machine, tmp_path: Path) -> None:
    done = run("local", "up", tmp_path, machine.offset)

    assert (done.returncode, done.stdout) == (1, "")
    assert "(Cloud Storage) is in use; stop what holds it, or move every port: --port-offset 1000" in done.stderr


def test_a_folder_is_free_again_once_its_cloud_is_gone(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "data", cloud_only=True)
    with running(machine):
        machine.kill()
        machine.start()

    assert run("local", "reset", machine.data).stdout == f"deleted {machine.data}\n"
    assert not machine.data.exists()


def test_a_new_folder_is_private_and_marked(tmp_path: Path) -> None:
    (tmp_path / "wide").mkdir(mode=0o755)
    made = [prepare(tmp_path / "a" / "new"), prepare(tmp_path / "wide")]

    assert [stat.S_IMODE(path.stat().st_mode) for path in made] == [0o700, 0o700]
    assert [json.loads((path / folder.MARK).read_text()) for path in made] == [{"layout": folder.LAYOUT}] * 2
    assert [prepare(path) for path in made] == made


def test_the_folder_of_a_running_cloud_is_private(machine: Machine) -> None:
    assert stat.S_IMODE(machine.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((machine.data / "tls" / "server.key").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("module", "command"),
    but_long([("local", "reset"), ("localcloud", "up")], ("local", "up"), ("local", "env")),
)
def test_a_folder_of_other_files_is_refused_and_kept(tmp_path: Path, module: str, command: str) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    done = run(module, command, tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert f"error: {tmp_path} " in done.stderr
    assert "has no localcloud.json, the mark of a data folder" in done.stderr
    assert "--data FOLDER" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_not_a_data_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("localcloud", "up", tmp_path / "file")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (f"error: {tmp_path}/file cannot be a data folder (File exists); choose another one: --data FOLDER\n")


@pytest.mark.parametrize(
    ("command", "name"), but_long([("up", "loop"), ("reset", "x" * 300)], ("up", "x" * 300), ("reset", "loop"))
)
def test_an_impossible_path_is_not_a_data_folder(tmp_path: Path, name: str, command: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    done = run("localcloud", command, tmp_path / name)

    assert len((done.stdout + done.stderr).splitlines()) == 1
    if done.returncode:
        assert (done.returncode, done.stdout) == (1, "")
        assert "--data FOLDER" in done.stderr
    else:
        assert done.stdout == f"{tmp_path / name} does not exist: nothing to delete\n"


def test_a_mark_with_an_absurd_layout_is_refused(data: Path) -> None:
    (data / folder.MARK).write_text('{"layout": 1e999}')

    with pytest.raises(WrongLayout, match="has layout 0"):
        prepare(data)


def test_a_broken_database_is_named_with_its_remedy(tmp_path: Path) -> None:
    data = prepare(tmp_path / "my data")
    (data / "tasks").mkdir()
    (data / "tasks" / "tasks.sqlite").write_bytes(b"no database" * 100)
    done = run("localcloud", "up", data)

    assert (done.returncode, done.stdout) == (1, "")
    problem = f"error: {data}/tasks/tasks.sqlite cannot be read (file is not a database); delete the data folder: "
    assert done.stderr.startswith(problem)
    assert done.stderr.endswith(f" -m localcloud reset --data '{data}'\n")
    assert len(done.stderr.splitlines()) == 1


def test_a_remedy_quotes_the_folder(tmp_path: Path) -> None:
    with pytest.raises(WrongLayout) as refusal:
        raise WrongLayout(tmp_path / "my data", 0)

    assert refusal.value.remedy == f"reset --data '{tmp_path}/my data'"


def test_a_data_folder_is_deleted_whole(data: Path) -> None:
    (data / "link").symlink_to(data.parent)

    assert delete(data)
    assert [path.name for path in data.parent.iterdir()] == []


def test_a_missing_folder_is_nothing_to_delete(tmp_path: Path) -> None:
    done = run("localcloud", "reset", tmp_path / "none")

    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/none does not exist: nothing to delete\n")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("link", [False, True], ids=["itself", "link"])
@pytest.mark.parametrize("place", ["root", "home", "above home", "project", "current folder"])
def test_a_folder_that_must_stay_is_kept_even_with_the_marks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, link: bool
) -> None:
    home = tmp_path / "people" / "me"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(prepare(tmp_path / "here"))
    given = {"root": Path("/"), "home": home, "above home": home.parent, "project": ROOT, "current folder": Path()}[place]
    if given.is_relative_to(tmp_path):
        (given / folder.MARK).write_text('{"layout": 1}')
    if link:
        (tmp_path / "link").symlink_to(given.resolve())
    with pytest.raises(CannotRun, match="is not deleted: it is or contains the "):
        delete(tmp_path / "link" if link else given)

    assert given.exists()
    assert home.exists()


def test_an_empty_home_is_no_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be made private, and `reset` would refuse to delete it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    tmp_path.chmod(0o755)

    with pytest.raises(NotADataFolder, match="cannot be a data folder: it is or contains the home folder"):
        prepare(tmp_path)

    assert (list(tmp_path.iterdir()), tmp_path.stat().st_mode & 0o777) == ([], 0o755)


def test_a_folder_in_use_is_not_deleted(data: Path) -> None:
    with claim(data), pytest.raises(FolderInUse):
        delete(data)

    assert (data / "storage" / "file").exists()


def test_the_mark_is_deleted_last(data: Path) -> None:
    for name in ("a", "z"):
        (data / name).touch()

    assert folder.contents(data)[-1] == data / folder.MARK


@pytest.mark.parametrize(("module", "command"), but_long([("local", "up")], ("localcloud", "env")))
def test_an_old_folder_is_refused_with_the_command_that_helps(old: Path, module: str, command: str) -> None:
    done = run(module, command, old)

    python = os.path.relpath(sys.executable, ROOT) if Path(sys.executable).is_relative_to(ROOT) else sys.executable
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: the data folder {old} has layout 0, and this version of the local cloud needs layout {folder.LAYOUT}; "
        f"delete the folder: {python} -m {module} reset --data {shlex.quote(str(old))}\n"
    )
    assert sorted(path.name for path in old.iterdir()) == ["lock", "tasks"]


def test_an_old_folder_can_be_deleted(old: Path) -> None:
    assert run("local", "reset", old).stdout == f"deleted {old}\n"
    assert not old.exists()


@pytest.mark.parametrize("mark", ['{"layout": 0}', '{"layout": 1000}', "", "[]", '{"layout": null}'])
def test_another_layout_is_refused_and_can_be_deleted(data: Path, mark: str) -> None:
    (data / folder.MARK).write_text(mark)
    with pytest.raises(WrongLayout, match=rf"has layout (0|1000), and .* needs layout {folder.LAYOUT}\b"):
        prepare(data)

    assert delete(data)


def test_a_database_of_another_layout_is_refused(data: Path) -> None:
    path = data / "tasks" / "tasks.sqlite"
    open_database(path, "CREATE TABLE IF NOT EXISTS a (b)").close()
    open_database(path, "CREATE TABLE IF NOT EXISTS a (b)").close()
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (folder.LAYOUT,)
        database.execute("PRAGMA user_version = 0")
    database.close()

    with pytest.raises(WrongLayout, match=f"data folder {data} has layout 0") as refusal:
        open_database(path, "CREATE TABLE IF NOT EXISTS a (b)")
    assert refusal.value.remedy == f"reset --data {shlex.quote(str(data))}"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(NotADataFolder, match="file/data cannot be a data folder"):
        prepare(tmp_path / "file" / "data")
