"""Ids and JSON are a contract: buckets and subscribers' databases hold them."""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.model import File, Job, Manifest, Output, Recipe, Task, Verdict, canonical, file_id

CAT = File("uploads", "cat.jpg", 1700000000000001, 1234, "image/jpeg", "AAAAAA==")
THUMBNAILS = Recipe("thumbnails", "image.renditions", 1, {"sizes": [256], "formats": ["webp"]})
DIGEST = Recipe("digest", "any.digest", 1, {})
TASK = Task(CAT, THUMBNAILS, "images", 5, (DIGEST.recipe_id, THUMBNAILS.recipe_id))


def manifest(recipe: Recipe, verdict: Verdict, time: str = "2026-01-01T00:00:00Z") -> Manifest:
    return Manifest(CAT, recipe, TASK.siblings, verdict, time)


def test_ids_are_those_of_the_first_release() -> None:
    assert file_id("uploads", "cat.jpg") == "lxl7ns75i36nil4qpyimr2t7nq"
    assert TASK.task_id == f"{file_id('uploads', 'cat.jpg')}-1700000000000001-{THUMBNAILS.recipe_id}"


def test_two_normal_forms_of_a_name_are_two_files() -> None:
    assert file_id("uploads", "\u00e9.jpg") != file_id("uploads", "e\u0301.jpg")


def test_bucket_and_name_cannot_run_into_each_other() -> None:
    assert file_id("a", "b/c") != file_id("a/b", "c")


def test_a_recipe_id_stands_for_the_work() -> None:
    reordered = replace(THUMBNAILS, options={"formats": ["webp"], "sizes": [256]})
    newer = replace(THUMBNAILS, version=2)

    assert reordered.recipe_id == THUMBNAILS.recipe_id
    assert newer.recipe_id != THUMBNAILS.recipe_id
    assert THUMBNAILS.recipe_id.startswith("thumbnails-")


def test_a_redrive_has_a_fresh_name_in_the_queue_and_the_same_identity() -> None:
    again = replace(TASK, redrive=2)

    assert again.queue_name == f"{TASK.queue_name}-r2"
    assert again.task_id == TASK.task_id


def test_a_task_survives_json() -> None:
    for task in (TASK, replace(TASK, redrive=2)):
        assert Task.from_json(json.loads(canonical(task.to_json()))) == task


def test_a_file_reads_as_in_the_first_release() -> None:
    whole = {"bucket": "uploads", "name": "cat.jpg", "generation": "1700000000000001", "size": 1234}

    assert CAT.to_json() == whole | {"content_type": "image/jpeg", "crc32c": "AAAAAA=="}


OUTPUT = Output("256.webp", "files/cat.jpg/7/x/256.webp", "image/webp", 99, "AAAAAA==", {"width_px": 256})
DONE = Manifest(CAT, THUMBNAILS, TASK.siblings, "succeeded", "2026-01-01T00:00:00Z", attempt=2, outputs=(OUTPUT,))


def test_a_manifest_survives_json() -> None:
    assert Manifest.from_json(json.loads(canonical(DONE.to_json()))) == DONE


def extended(value: Any) -> Any:
    """The same JSON as a newer release may write it: with one more field in every object but the free-form ones."""
    if isinstance(value, list):
        return [extended(part) for part in value]
    if not isinstance(value, dict):
        return value
    parts = {key: part if key in ("options", "facts") else extended(part) for key, part in value.items()}
    return parts | {"added": {"by": "a newer release"}}


@pytest.mark.parametrize("noun", [CAT, THUMBNAILS, TASK, OUTPUT, DONE], ids=lambda noun: type(noun).__name__)
def test_fields_of_a_newer_release_are_ignored(noun: File | Recipe | Task | Output | Manifest) -> None:
    assert type(noun).from_json(extended(json.loads(canonical(noun.to_json())))) == noun


@pytest.mark.parametrize(
    ("verdicts", "job"),
    [
        (("succeeded", "succeeded"), "succeeded"),
        (("succeeded", "failed"), "partial"),
        (("succeeded", "dead"), "partial"),
        (("failed", "failed"), "failed"),
        (("failed", "dead"), "dead"),
        (("superseded", "gone"), "superseded"),
    ],
)
def test_a_job_ends_as_its_steps_do(verdicts: tuple[Verdict, Verdict], job: Verdict) -> None:
    steps = tuple(manifest(recipe, verdict) for recipe, verdict in zip((DIGEST, THUMBNAILS), verdicts, strict=True))

    assert Job(CAT, steps).verdict == job


def test_a_job_reads_the_same_in_any_order_of_its_steps() -> None:
    steps = (manifest(DIGEST, "succeeded"), manifest(THUMBNAILS, "failed", "2026-01-02T00:00:00Z"))

    assert canonical(Job(CAT, steps).to_json()) == canonical(Job(CAT, steps[::-1]).to_json())
    assert Job(CAT, steps).time == "2026-01-02T00:00:00Z"
