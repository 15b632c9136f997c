"""Options of the last `up`: what is not given keeps its value; what takes access or data away needs a yes."""

import os
import pty
import re
from dataclasses import replace
from pathlib import Path

import pytest

from deploy import kept
from deploy.command_line import parse
from deploy.deployment import Deployment
from deploy.errors import Failed, Unreadable
from deploy.kinds import Service
from deploy.options import DEFAULTS, NAMED, Options
from tests.unit.deploy.example import deployment
from tests.unit.deploy.test_changes import commands

ANN, BOB = "user:ann@example.com", "user:bob@example.com"


def after(folder: Path, before: dict[str, str] | None, command: str = "up", **options: str | bool) -> Deployment:
    """A deployment with these options, after an `up` with those."""
    it = deployment(folder, command, given=frozenset(options), **options)  # type: ignore[arg-type]
    it.options, it.kept = kept.merged(it.options, before or {}), before
    return it


def written(it: Deployment) -> str:
    """The lines that `up` would write for the next one."""
    (command,) = commands(kept.keep(it))
    assert command == f"storage cp {it.folder}/options.env gs://demo-project-sluice-build/options.env"
    return (it.folder / "options.env").read_text().removeprefix(kept.HEADING)


def test_what_is_not_given_is_as_it_was_and_what_is_given_wins() -> None:
    options = kept.merged(parse(["up", "--notify", "me@example.com"], Path()), {"notify": "old@example.com", "operators": ANN})

    assert (options.notify, options.operators, options.instances) == ("me@example.com", ANN, "2")


@pytest.mark.parametrize("name", kept.KEPT)
def test_each_option_is_kept_until_it_is_given_empty(name: str) -> None:
    flag = f"--{name.replace('_', '-')}="
    emptied = kept.merged(parse(["up", flag], Path()), {name: "value"})

    assert getattr(kept.merged(parse(["up"], Path()), {name: "value"}), name) == "value"
    assert getattr(emptied, name) == DEFAULTS[name]


def test_a_deployment_is_found_by_what_is_given_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert [name for name in NAMED if name not in ("project", "prefix", "env_file")] == kept.KEPT
    assert dict(kept._known("PROJECT=other\nREGION=europe-west4\n", "gs://b/options.env")) == {"region": "europe-west4"}
    assert "--project" in capsys.readouterr().err


def test_an_empty_line_of_the_env_file_gives_the_default(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("INSTANCES=\n")
    options = kept.merged(parse(["up", "--env-file", "env"], tmp_path), {"instances": "5"})

    assert options.instances == "2"


def test_only_what_differs_from_its_default_is_kept(tmp_path: Path) -> None:
    assert written(after(tmp_path, None)) == ""
    assert written(after(tmp_path, {}, instances="3", region="europe-west4", url_seconds="900")) == (
        "REGION=europe-west4\nINSTANCES=3\n"
    )


def test_what_an_up_writes_is_what_the_next_one_reads(tmp_path: Path) -> None:
    written(after(tmp_path, {}, instances="3", region="europe-west4"))
    text = (tmp_path / "options.env").read_text() + "\nnotify=me\n"  # an operator added a line

    assert dict(kept._known(text, "gs://b/options.env")) == {"region": "europe-west4", "instances": "3", "notify": "me"}


@pytest.mark.parametrize(
    ("answer", "options"),
    [
        ("echo NOTIFY=me@example.com; echo 'WARNING: an update is available' >&2", {"notify": "me@example.com"}),
        ("echo 'ERROR: gs://b/options.env not found: 404.' >&2; exit 1", None),
        ("echo 'ERROR: The following URLs matched no objects or files: gs://b/options.env' >&2; exit 1", None),
    ],
)
def test_the_file_is_read_or_is_not_there(
    answer: str, options: dict[str, str] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gcloud(answer, tmp_path, monkeypatch)

    assert kept.read(Options("up", project="demo-project")) == options


def test_a_file_that_gcloud_cannot_read_is_not_taken_for_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gcloud("echo 'ERROR: HTTPError 403: no access' >&2; exit 1", tmp_path, monkeypatch)

    with pytest.raises(Unreadable, match=r"storage cat gs://demo-project-sluice-build/options\.env\n  ERROR: HTTPError 403"):
        kept.read(Options("up", project="demo-project"))


def gcloud(answer: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have gcloud be a script that answers so."""
    script = folder / "gcloud"
    script.write_text(f"#!/bin/sh\n{answer}\n")
    script.chmod(0o700)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def test_a_second_up_writes_nothing(tmp_path: Path) -> None:
    assert commands(kept.keep(after(tmp_path, {}))) == []
    assert commands(kept.keep(after(tmp_path, {"operators": ANN}))) == []
    assert commands(kept.keep(after(tmp_path, {"operators": ANN}, operators=ANN))) == []
    assert written(after(tmp_path, {"operators": ANN, "notify": "me@example.com"}, notify="")) == f"OPERATORS={ANN}\n"


def test_no_option_takes_a_secret() -> None:
    """Those with secret in their name take the names of secrets."""
    assert [name for name in NAMED if re.search("password|token|key|secret", name)] == ["service_secrets"]
    assert "the secret in Secret Manager" in NAMED["service_secrets"]["meaning"]


def test_kept_options_and_changes_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {"operators": ANN, "keep_uploads_days": "30", "notify": "me@example.com"}
    kept.announce(after(tmp_path, before, keep_uploads_days="60", notify="", instances="3"))

    assert capsys.readouterr().out == (
        "Options kept since the last up, and changes of them:\n"
        "  --notify: me@example.com → nothing\n  --instances: 2 → 3\n  --keep-uploads-days: 30 → 60\n"
        f"  --operators {ANN}\n"
    )


def test_nothing_is_named_where_all_is_given_or_default(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept.announce(after(tmp_path, {"operators": ANN}, operators=ANN))
    kept.announce(after(tmp_path, None, instances="3"))

    assert capsys.readouterr() == ("", "")


def test_where_nothing_is_kept_up_sets_defaults_only_after_a_yes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = "no options of an earlier up are kept: those that are not given here are set to their defaults"
    plan, up, allowed = (after(tmp_path, None, command) for command in ("plan", "up", "up"))
    for it in (plan, up, allowed):
        it.state.services["sluice-upload"] = Service(variables={})
    kept.announce(plan)

    assert capsys.readouterr().err == f"note: {said}\n"
    kept.announce(up)
    assert capsys.readouterr().err == "", "the question says it"
    with pytest.raises(Failed, match=said):
        kept.confirm(up)
    allowed.options = replace(allowed.options, yes=True)
    kept.confirm(allowed)
    up.kept = {}
    kept.confirm(up)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "is empty"),
        ("\n", "is empty"),
        ("NOTIFY=caf\ufffd@example.com", "is no text in UTF-8"),
        ("\ufeffNOTIFY=me@example.com", "is no NAME=VALUE"),
        ("NOTIFY = me@example.com", "is no NAME=VALUE"),
        ("NOTIFY", "is no NAME=VALUE"),
        ("# Options\n<html>", "is no NAME=VALUE"),
    ],
)
def test_a_damaged_file_stops_everything(content: str, what: str) -> None:
    """Else the options that it does not have would be taken back."""
    with pytest.raises(Unreadable, match=what):
        dict(kept._known(content, "gs://b/options.env"))


def test_an_option_of_a_newer_release_stays_for_it(tmp_path: Path) -> None:
    before = dict(kept._known("COLOUR=red\nNOTIFY=me@example.com\n", "gs://b/options.env"))

    assert commands(kept.keep(after(tmp_path, before))) == []
    assert written(after(tmp_path, before, notify="you@example.com")) == "NOTIFY=you@example.com\nCOLOUR=red\n"
    assert not hasattr(after(tmp_path, before).options, "colour")


TAKING: list[tuple[dict[str, str], dict[str, str], str]] = [
    ({"operators": f"{ANN},{BOB}"}, {"operators": ANN}, f"--operators takes access away from {BOB}."),
    ({"operators": ANN}, {"operators": f"{ANN}munity"}, f"--operators takes access away from {ANN}."),
    ({"console_viewers": ANN}, {"console_viewers": ""}, f"--console-viewers takes access away from {ANN}."),
    ({"console_operators": "ann@example.com"}, {"console_operators": "bob@example.com"}, "away from ann@example.com."),
    ({}, {"keep_uploads_days": "30"}, "--keep-uploads-days deletes after 30 days; so far: never."),
    (
        {"keep_results_days": "30"},
        {"keep_results_days": "20"},
        "--keep-results-days deletes after 20 days; so far: after 30 days.",
    ),
    ({}, {"keep_notices_days": "0"}, "--keep-notices-days deletes after 0 days; so far: after 7 days."),
]
GIVING: list[tuple[dict[str, str] | None, dict[str, str]]] = [
    (None, {"keep_uploads_days": "1", "operators": ANN}),
    ({"operators": ANN}, {}),
    ({}, {"operators": ANN}),
    ({"operators": ANN}, {"operators": f"{BOB},{ANN}"}),
    ({"keep_uploads_days": "30"}, {"keep_uploads_days": "0"}),
    ({"keep_uploads_days": "of another release"}, {"keep_uploads_days": "30"}),
    ({"keep_uploads_days": "30"}, {"keep_uploads_days": "31"}),
    ({"keep_notices_days": "0"}, {"keep_notices_days": "1"}),
    ({"instances": "3"}, {"instances": "2"}),
    ({"notify": "me@example.com", "origins": "https://a.example"}, {"notify": "", "origins": ""}),
]


@pytest.mark.parametrize(("before", "options", "said"), TAKING)
def test_a_script_takes_nothing_away_without_yes(
    before: dict[str, str], options: dict[str, str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(Failed) as refused:
        kept.confirm(after(tmp_path, before, **options))

    assert said in str(refused.value)
    assert str(refused.value).endswith("\nSay --yes too, or give the former value; nothing was changed")
    kept.confirm(after(tmp_path, before, "plan", **options))
    kept.confirm(after(tmp_path, before, yes=True, **options))


@pytest.mark.parametrize(("before", "options"), GIVING)
def test_other_changes_need_no_yes(before: dict[str, str] | None, options: dict[str, str], tmp_path: Path) -> None:
    kept.confirm(after(tmp_path, before, **options))


@pytest.mark.parametrize(("answer", "goes_on"), [("y", True), (" YES", True), ("n", False), ("", False)])
def test_at_a_terminal_up_asks(answer: str, goes_on: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keyboard, terminal = pty.openpty()
    os.write(keyboard, f"{answer}\n".encode())
    it = after(tmp_path, {"operators": ANN}, operators="")
    with open(terminal) as stdin:  # noqa: PTH123 (a descriptor, not a path)
        monkeypatch.setattr("sys.stdin", stdin)
        try:
            kept.confirm(it)
            went_on = True
        except Failed:
            went_on = False
    os.close(keyboard)

    assert went_on == goes_on


def test_a_kept_value_that_no_longer_fits_is_named_as_kept() -> None:
    with pytest.raises(Failed, match=r"^--instances is '0' \(kept since the last up\); it takes a whole number above 0$"):
        kept.merged(Options("up", project="demo-project"), {"instances": "0"}).check()
