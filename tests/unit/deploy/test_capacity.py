"""pipeline.toml is refused before anything is built; all instances together fit a new project."""

from pathlib import Path

import pytest

from deploy.capacity import NEW_PROJECT, Size, fits_a_new_project, note, read, total
from deploy.errors import Failed
from deploy.listing import Listing
from deploy.options import Options
from shared.capacity import BASE_BYTES
from shared.settings import ROOT
from tests.unit.deploy.example import PIPELINE, deployment, list_of_deploy_sh

MAX_FILE_BYTES = int(Options("up").max_file_bytes)


def refusal(folder: Path, old: str = "", new: str = "", max_file_bytes: int = MAX_FILE_BYTES) -> str:
    """The message about the example with one part of its text changed."""
    path = folder / "pipeline.toml"
    path.write_text(PIPELINE.replace(old, new, 1))
    with pytest.raises(Failed) as refused:
        read(path, max_file_bytes)
    return str(refused.value).replace(str(folder), "FOLDER")


def test_the_shipped_pools_and_the_other_services_fit_a_new_project() -> None:
    routes = read(ROOT / "pipeline.toml", MAX_FILE_BYTES)
    size = total(Listing(list_of_deploy_sh(), Options("up").variables(), routes.pools))

    assert size.cpus <= 20
    assert size.memory_bytes <= 40 << 30


def test_the_docs_print_their_size_and_the_memory_of_the_service_itself() -> None:
    routes = read(ROOT / "pipeline.toml", MAX_FILE_BYTES)
    size = total(Listing(list_of_deploy_sh(), Options("up").variables(), routes.pools))
    docs = " ".join((ROOT / "docs" / "deploy.md").read_text().split())

    assert f"together take {size}: " in docs
    assert f"A pool needs {BASE_BYTES >> 20} MiB for the service itself" in docs


def test_all_instances_of_all_services_are_counted(tmp_path: Path) -> None:
    """3 services with 2 × (1 vCPU, 512 MiB); issuer, console, sweeper; 7 × (2, 4 GiB) and 3 × (1, 1.5 GiB)."""
    assert total(deployment(tmp_path).listing) == Size(6 + 3 + 14 + 3, (9 << 29) + (28 << 30) + (9 << 29))
    assert total(deployment(tmp_path, instances="1").listing).cpus == 3 + 3 + 14 + 3
    assert total(deployment(tmp_path, instances="3").listing).cpus == 9 + 2 + 2 + 14 + 3  # half of 3 instances are 2


@pytest.mark.parametrize(
    ("size", "fits"), [(NEW_PROJECT, True), (Size(21, 40 << 30), False), (Size(20, (40 << 30) + 1), False), (Size(1, 1), True)]
)
def test_a_new_project_has_20_vcpu_and_40_gib(size: Size, fits: bool) -> None:
    assert str(NEW_PROJECT) == "20 vCPU and 40 GiB"
    assert fits_a_new_project(size) == fits


def test_what_is_too_large_for_a_new_project_is_named_with_the_remedies(tmp_path: Path) -> None:
    said = note(deployment(tmp_path).listing)

    assert said.startswith("all instances together take 26 vCPU and 37 GiB, a new project has only 20 vCPU and 40 GiB")
    assert "lower max_instances" in said
    assert "CpuAllocPerProjectRegion" in said


def test_queues_that_send_more_than_their_pool_takes_are_named_with_it(tmp_path: Path) -> None:
    assert refusal(tmp_path, "max_instances = 3", "max_instances = 2") == (
        "FOLDER/pipeline.toml: pools.slow.max_instances: 2 with concurrency 4 take 8 tasks at once, and digests send 12; "
        "write at least 3, or lower max_concurrent_dispatches of these queues"
    )


def test_a_pool_takes_exactly_what_its_queues_send(tmp_path: Path) -> None:
    """The pool `slow` has 3 instances for 4 tasks each, and its queue sends 12."""
    assert read_text(tmp_path, PIPELINE) == 12


def read_text(folder: Path, text: str) -> int:
    (folder / "pipeline.toml").write_text(text)
    return read(folder / "pipeline.toml", MAX_FILE_BYTES).queues["digests"].max_concurrent_dispatches


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('pool = "slow"', 'pool = "fast"'), "queues.digests.pool: 'fast' is not allowed; write one of default, slow"),
        (("cpu = 2", "cpu = 3"), "pools.default.cpu"),
        (("concurrency = 3", "concurrency = 30"), "pools.default.memory: 4096Mi is too little"),
        (("deadline_seconds = 900", "deadline_seconds = 60"), "pools.slow.deadline_seconds: 60 is too short"),
        (("[queues.images]", "[queues.images"), "not TOML"),
    ],
)
def test_the_checks_of_the_services_refuse_it_here_too(change: tuple[str, str], said: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, *change).startswith(f"FOLDER/pipeline.toml: {said}")


def test_larger_files_need_more_memory(tmp_path: Path) -> None:
    said = refusal(tmp_path, max_file_bytes=2 << 30)

    assert "FOLDER/pipeline.toml: pools.default.memory" in said
    assert "--max-file-bytes" in said


def test_a_missing_pipeline_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"elsewhere\.toml: not found"):
        read(tmp_path / "elsewhere.toml", MAX_FILE_BYTES)
