"""docs/pipelines.md works as printed: its pipeline on the whole stack, with real files, through the doors."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.cloud.storage import Bucket, Client
from PIL import Image

from shared.settings import ROOT
from tests.conftest import DATA
from tests.docs import blocks
from tests.e2e.conftest import Notices
from tests.machine import Machine, running, variables

PAGE = ROOT / "docs" / "pipelines.md"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("pipelines")
    (pipeline,) = [block.text for block in blocks.read(PAGE) if block.file == "pipeline.toml"]
    (folder / "pipeline.toml").write_text(pipeline)
    machine = Machine(folder / "stack")
    with variables({"SLUICE_PIPELINE": str(folder / "pipeline.toml")}), running(machine):
        yield machine


@pytest.fixture(scope="module")
def buckets(machine: Machine) -> dict[str, Bucket]:
    with variables(machine.environment):
        client = Client(project="local-project")
    return {name: client.bucket(name) for name in ("uploads", "results")}


def upload(buckets: dict[str, Bucket], name: str, data: bytes, **metadata: str) -> None:
    blob = buckets["uploads"].blob(name)
    blob.metadata = metadata
    blob.upload_from_string(data, content_type="image/jpeg")


def photo(width: int = 1100, path: Path = DATA / "photo.jpg") -> bytes:
    buffer = io.BytesIO()
    with Image.open(path) as picture:
        picture.resize((width, width * picture.height // picture.width)).save(buffer, "JPEG")
    return buffer.getvalue()


def verdicts(job: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {step["step"]: (step["verdict"], step["reason"]) for step in job["steps"]}


def outputs(job: dict[str, Any], step: str) -> list[str]:
    (found,) = [each for each in job["steps"] if each["step"] == step]
    return [output["name"] for output in found["outputs"]]


def manifests(buckets: dict[str, Bucket], job: dict[str, Any]) -> set[str]:
    prefix = f"jobs/{job['file_id']}/{job['file']['generation']}/"
    return {blob.name.removeprefix(prefix) for blob in buckets["results"].list_blobs(prefix=prefix)}


def test_a_large_picture_goes_through_three_stages(buckets: dict[str, Bucket], notices: Notices) -> None:
    upload(buckets, "big.jpg", photo(), **{"sluice-steps": "print", "sluice-icons-sizes": "96,48"})
    job = notices.job("big.jpg")

    assert verdicts(job) == {
        "facts": ("succeeded", ""),
        "small": ("skipped", "when"),
        "preview": ("succeeded", ""),
        "avif": ("succeeded", ""),
        "print": ("succeeded", ""),
        "icons": ("succeeded", ""),
        "digest": ("succeeded", ""),
    }
    assert job["verdict"] == "succeeded"
    assert outputs(job, "icons") == ["96.webp", "48.webp"]
    assert manifests(buckets, job) == {"0/job.json", "0/1-encoders.json", "0/1-slow.json", "0/2-quick.json"}


def test_a_small_picture_takes_the_steps_that_it_calls_for(buckets: dict[str, Bucket], notices: Notices) -> None:
    upload(buckets, "small.jpg", photo(800))
    job = notices.job("small.jpg")

    assert verdicts(job) == {
        "facts": ("succeeded", ""),
        "small": ("succeeded", ""),
        "avif": ("succeeded", ""),
        "preview": ("skipped", "when"),
        "icons": ("skipped", "after_skipped"),
        "digest": ("skipped", "after_skipped"),
    }
    assert job["verdict"] == "succeeded"


def test_a_bad_option_fails_its_step_alone(machine: Machine, buckets: dict[str, Bucket], notices: Notices) -> None:
    upload(buckets, "odd.jpg", photo(), **{"sluice-icons-sizes": "huge", "sluice-icon-sizes": "1"})
    job = notices.job("odd.jpg")

    found = verdicts(job)
    assert found["icons"] == ("failed", "bad_option")
    assert (found["digest"], job["verdict"]) == (("succeeded", ""), "partial")
    status = machine.run("curl", "-sS", f"{machine.url('status')}/objects/odd.jpg").stdout
    assert "sluice-icon-sizes" in status


def test_a_file_that_is_no_picture_fails_first_and_the_rest_is_skipped(buckets: dict[str, Bucket], notices: Notices) -> None:
    upload(buckets, "broken.jpg", b"not a picture", **{"sluice-steps": "print"})
    job = notices.job("broken.jpg")

    found = verdicts(job)
    assert found.pop("facts") == ("failed", "not_a_picture")
    assert set(found.values()) == {("skipped", "after_failed")}
    assert job["verdict"] == "failed"
