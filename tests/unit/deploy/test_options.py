"""Options: flags, the env-file, defaults, and whether the processor fits its queues."""

from dataclasses import replace
from pathlib import Path

import pytest

from deploy.capacity import fitted
from deploy.errors import Failed
from deploy.options import Options, parse
from deploy.state import Queue

QUEUES = [Queue(at_once=20), Queue(at_once=12)]


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


def test_the_default_is_one_instance_more_than_the_queues_need() -> None:
    assert fitted(Options("up"), QUEUES).processor_instances == "9"
    assert fitted(Options("up", processor_concurrency="3"), QUEUES).processor_instances == "12"


def test_instances_that_just_suffice_are_taken() -> None:
    assert fitted(Options("up", processor_instances="8"), QUEUES).processor_instances == "8"
    with pytest.raises(Failed, match="the queues send 32 tasks at once, 7 instances take 28"):
        fitted(Options("up", processor_instances="7"), QUEUES)


@pytest.mark.parametrize(
    ("cpu", "memory", "is_taken"),
    [
        ("2", "3840Mi", True),
        ("2", "3839Mi", False),
        ("2", "8Gi", True),
        ("2", "8193Mi", False),
        ("8", "4Gi", True),
        ("6", "3Gi", False),
    ],
)
def test_memory_fits_cpus_and_files(cpu: str, memory: str, is_taken: bool) -> None:
    options = replace(Options("up"), processor_cpu=cpu, processor_memory=memory)
    if is_taken:
        assert fitted(options, QUEUES).processor_memory == memory
        return
    with pytest.raises(Failed, match="--processor-memory"):
        fitted(options, QUEUES)
