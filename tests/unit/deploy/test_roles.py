"""Custom roles: made once they have a member, updated when their file changes, revived when they were deleted."""

import json
from dataclasses import replace
from pathlib import Path

from deploy import roles
from deploy.kinds import Role
from shared.settings import ROOT
from tests.unit.deploy.example import deployment

NAMES = [f"projects/demo-project/roles/my_own.{name}" for name in ("operator", "queueLister", "queueOperator")]


def changes(folder: Path, found: dict[str, Role], operators: str = "group:ops@example.com") -> list[list[str]]:
    """The words after `iam roles` of each command, without its flags."""
    it = deployment(folder, operators=operators, prefix="my-own")
    it.state.roles = found
    return [command[2:4] for job in roles.custom_roles(it) for command in job]


def as_wanted(folder: Path) -> dict[str, Role]:
    """The roles as the files want them."""
    changes(folder, {})
    written = [json.loads((folder / f"role-{name.rpartition('.')[2]}.json").read_text()) for name in NAMES]
    return {name: Role(role["description"]) for name, role in zip(NAMES, written, strict=True)}


def test_missing_roles_are_created(tmp_path: Path) -> None:
    assert changes(tmp_path, {}) == [["create", name.rpartition("/")[2]] for name in NAMES]


def test_without_operators_only_the_roles_of_console_and_sweeper_are_needed(tmp_path: Path) -> None:
    assert changes(tmp_path, {}, operators="") == [["create", "my_own.queueLister"], ["create", "my_own.queueOperator"]]


def test_roles_as_wanted_are_left_alone(tmp_path: Path) -> None:
    assert changes(tmp_path, as_wanted(tmp_path)) == []


def test_a_role_of_another_definition_is_updated(tmp_path: Path) -> None:
    found = as_wanted(tmp_path) | {NAMES[2]: Role("of an older release (1)")}

    assert changes(tmp_path, found) == [["update", "my_own.queueOperator"]]


def test_a_deleted_role_is_revived(tmp_path: Path) -> None:
    found = as_wanted(tmp_path)
    found[NAMES[0]] = replace(found[NAMES[0]], deleted=True)

    assert changes(tmp_path, found) == [["undelete", "my_own.operator"], ["update", "my_own.operator"]]


def test_a_description_fits_into_googles_limit(tmp_path: Path) -> None:
    assert all(len(role.description) <= 256 for role in as_wanted(tmp_path).values())


def test_each_role_of_the_table_that_is_not_googles_has_a_file() -> None:
    own = {row.split("\t")[1] for row in (ROOT / "deploy/grants.tsv").read_text().splitlines()[1:]}

    assert {role for role in own if not role.startswith("roles/")} == {
        path.stem for path in (ROOT / roles.ROLES).glob("*.json")
    }
