"""Ids and JSON are a contract: buckets and subscribers' databases hold them."""

import json
from dataclasses import replace

import pytest

from shared.model import File, Output, Place, Recipe, Result, Run, canonical, digest8, file_id, recipe
from tests.unit.releases import extended

CAT = File("uploads", "cat.jpg", 1700000000000001, 1234, "image/jpeg", "AAAAAA==", {"who": "Käthe"})
THUMBNAILS = recipe("thumbnails", "image.renditions", 1, {"sizes": [256], "formats": ["webp"]})
MARKED = recipe("marked", "image.watermark", 2, {"text": "©"}, input="thumbnails/256.webp", made_by=THUMBNAILS.recipe_id)


def test_ids_are_those_of_the_first_release() -> None:
    assert file_id("uploads", "cat.jpg") == "lxl7ns75i36nil4qpyimr2t7nq"
    assert Run(CAT).job_id == "lxl7ns75i36nil4qpyimr2t7nq-1700000000000001"
    assert Run(CAT, 1).job_id == "lxl7ns75i36nil4qpyimr2t7nq-1700000000000001-r1"
    assert Run(CAT, 2).job_id == "lxl7ns75i36nil4qpyimr2t7nq-1700000000000001-r2"
    assert THUMBNAILS.recipe_id == "thumbnails-71d2c177"
    assert MARKED.recipe_id == "marked-494b0e64"


def test_the_recipe_id_is_a_hash_over_the_listed_parts() -> None:
    exact = ["image.watermark", 2, {"text": "©"}, "thumbnails/256.webp", THUMBNAILS.recipe_id]

    assert MARKED.recipe_id == f"marked-{digest8(exact)}"
    assert THUMBNAILS.recipe_id.endswith(digest8(["image.renditions", 1, dict(THUMBNAILS.options), None, None]))


@pytest.mark.failure("T49")
def test_two_normal_forms_of_a_name_are_two_files() -> None:
    assert file_id("uploads", "\u00e9.jpg") != file_id("uploads", "e\u0301.jpg")


def test_bucket_and_name_cannot_run_into_each_other() -> None:
    assert file_id("a", "b/c") != file_id("a/b", "c")


def test_a_recipe_id_stands_for_the_work() -> None:
    reordered = recipe("thumbnails", "image.renditions", 1, {"formats": ["webp"], "sizes": [256]})
    others = [
        recipe("thumbnails", "image.renditions", 2, THUMBNAILS.options),
        recipe("thumbnails", "image.renditions", 1, {"sizes": [257], "formats": ["webp"]}),
        recipe("thumbnails", "image.other", 1, THUMBNAILS.options),
        recipe("thumbnails", "image.renditions", 1, THUMBNAILS.options, input="a/1.png", made_by="a-00000000"),
        recipe("thumbnails", "image.renditions", 1, THUMBNAILS.options, input="a/1.png", made_by="a-00000001"),
        recipe("thumbnails", "image.renditions", 1, THUMBNAILS.options, input="a/2.png", made_by="a-00000000"),
    ]

    assert reordered.recipe_id == THUMBNAILS.recipe_id
    assert len({THUMBNAILS.recipe_id, *(other.recipe_id for other in others)}) == 7


def test_a_place_is_written_as_stage_and_queue() -> None:
    assert str(Place(2, "images")) == "2-images"


def test_a_file_reads_as_in_the_first_release() -> None:
    whole = {"bucket": "uploads", "name": "cat.jpg", "generation": "1700000000000001", "size": 1234}

    assert CAT.to_json() == whole | {"content_type": "image/jpeg", "crc32c": "AAAAAA==", "metadata": {"who": "Käthe"}}


OUTPUT = Output("256.webp", "files/cat.jpg/7/x/256.webp", "image/webp", 99, "AAAAAA==", {"width_px": 256})
DONE = Result(
    "thumbnails",
    THUMBNAILS.recipe_id,
    "succeeded",
    attempt=2,
    facts={"count": 1},
    outputs=(OUTPUT,),
    times={"begun": "2026-01-01T00:00:00.000Z"},
    cost={"cpu_seconds": 0.1},
)
NOUNS = [CAT, THUMBNAILS, MARKED, OUTPUT, DONE]


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: type(noun).__name__)
def test_a_noun_survives_json(noun: File | Recipe | Output | Result) -> None:
    assert type(noun).from_json(json.loads(canonical(noun.to_json()))) == noun


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: type(noun).__name__)
def test_fields_of_a_newer_release_are_ignored(noun: File | Recipe | Output | Result) -> None:
    assert type(noun).from_json(extended(json.loads(canonical(noun.to_json())))) == noun


def test_fields_that_an_older_release_did_not_write_are_empty() -> None:
    file = {key: value for key, value in CAT.to_json().items() if key != "metadata"}
    result = {"step": "a", "recipe_id": "a-1", "verdict": "failed"}

    assert File.from_json(file) == replace(CAT, metadata={})
    assert Result.from_json(result) == Result("a", "a-1", "failed")


def test_equal_values_give_equal_bytes() -> None:
    assert canonical({"b": 1, "a": "ü"}) == canonical({"a": "ü", "b": 1}) == '{"a":"ü","b":1}'.encode()


def test_a_lone_surrogate_is_escaped_and_read_back() -> None:
    value = {"message": "not found: \udcff.txt"}

    assert json.loads(canonical(value)) == value
    assert canonical(json.loads(canonical(value))) == canonical(value)
