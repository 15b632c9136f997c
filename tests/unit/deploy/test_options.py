"""Options: flags, the env-file, defaults."""

from dataclasses import replace
from pathlib import Path

import pytest

from deploy import kept
from deploy.command_line import parse
from deploy.errors import Failed


def test_flags_take_their_value_from_the_same_word_or_the_next() -> None:
    options = parse(["up", "--region=europe-west1", "--keep-uploads-days", "30", "--yes"], Path())

    assert (options.command, options.region, options.keep_uploads_days, options.yes) == ("up", "europe-west1", "30", True)
    assert options.keep_results_days == "0"


@pytest.mark.parametrize(
    ("flags", "open_doors"),
    [
        ([], ""),
        (["--allow-unauthenticated"], "issuer,upload"),
        (["--allow-unauthenticated=status"], "status"),
        (["--allow-unauthenticated="], ""),
    ],
)
def test_doors_are_opened_by_name(flags: list[str], open_doors: str) -> None:
    assert parse(["plan", *flags], Path()).allow_unauthenticated == open_doors


def test_flags_win_over_the_env_file(tmp_path: Path) -> None:
    (tmp_path / "production.env").write_text("# ours\n\nPREFIX=files\n  NOTIFY=me@example.com\nALLOW_UNAUTHENTICATED=issuer")
    options = parse(["up", "--env-file", "production.env", "--prefix", "photos"], tmp_path)

    assert (options.prefix, options.notify, options.allow_unauthenticated) == ("photos", "me@example.com", "issuer")


@pytest.mark.parametrize("line", ["prefix=files", "MEMORY=4Gi", "PREFIX", "DELETE_DATA=yes", "COMMAND=down"])
def test_an_env_file_takes_nothing_but_options_in_capitals(line: str, tmp_path: Path) -> None:
    (tmp_path / "env").write_text(f"{line}\n")
    with pytest.raises(Failed, match=f"env: {line}: write NAME=VALUE with an option's name in capitals"):
        parse(["up", "--env-file", "env"], tmp_path)


def test_services_without_a_check_of_their_callers_are_those_that_are_open() -> None:
    given = parse(["up", "--project", "demo-project", "--allow-unauthenticated", "--no-invoker-iam-check"], Path())
    given.check()

    assert (given.allow_unauthenticated, given.no_invoker_iam_check) == ("issuer,upload", "yes")
    with pytest.raises(
        Failed, match="--allow-unauthenticated, which names none; to close them, say --no-invoker-iam-check= too"
    ):
        replace(given, allow_unauthenticated="").check()
    alone = parse(["up", "--project", "demo-project", "--no-invoker-iam-check"], Path())
    alone.check_values()
    kept.merged(alone, {"allow_unauthenticated": "status"}).check()
    assert parse(["up", "--no-invoker-iam-check="], Path()).no_invoker_iam_check == ""
