"""docs/contracts/: the schemas are those that the code generates, and every notice keeps to them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared import pipeline
from shared.contracts import documents, notices
from shared.contracts.schemas import noun
from shared.events import JOB_FINISHED, STEP_FINISHED, Notice
from shared.model import Limits, Run
from shared.plan import Task
from shared.routes import check
from shared.settings import ROOT
from shared.testing import FakeCloud
from tests import contracts
from tests.docs import blocks
from tests.unit.pipelines import table
from tests.unit.test_stored_notices import RELEASES, recorded

#: A step that sets everything that a recipe may have, and one that does not run.
STEPS = {
    "small": {
        "options": {"sizes": [64], "formats": ["webp"]},
        "cache_control": "public, max-age=60",
        "copy_metadata": True,
    },
    "never": {"after": ["small"], "when": {"step": "file", "fact": "size", "min": 1_000_000_000}},
}


@pytest.fixture
def published(cloud: FakeCloud, uploaded: Callable[..., Any], photo: bytes) -> list[Notice]:
    """The notices of a picture, by step and for the job."""
    cloud.routes = check(table(STEPS))
    file = uploaded("cat.jpg", photo, "image/jpeg", {"order": "4711"})
    plan = cloud.routes.plan(file)
    for place in plan.places:
        pipeline.process(Task(Run(file), plan, place), 1, cloud)
    return cloud.completions.notices


@pytest.mark.parametrize("name", documents.documents())
def test_the_file_in_the_docs_is_the_generated_one(name: str) -> None:
    stored = (documents.FOLDER / name).read_text()

    assert stored == documents.written(documents.documents()[name]), "run .venv/bin/python -m shared.contracts"


def test_no_other_file_is_there() -> None:
    assert {path.name for path in documents.FOLDER.iterdir()} == documents.documents().keys()


def test_the_files_are_written_where_they_are_asked_for(tmp_path: Path) -> None:
    documents.write(tmp_path / "new")

    assert {path.name for path in (tmp_path / "new").iterdir()} == documents.documents().keys()


@pytest.mark.parametrize("kind", notices.KINDS)
def test_a_schema_is_valid(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(notices.document(kind))


def test_published_notices_keep_to_the_contract(published: list[Notice]) -> None:
    assert [notice.attributes["ce-type"] for notice in published] == [STEP_FINISHED, STEP_FINISHED, JOB_FINISHED]
    assert [fault for notice in published for fault in contracts.faults(notice)] == []


@pytest.mark.parametrize("kind", notices.KINDS)
def test_each_listed_field_occurs_and_no_other(published: list[Notice], kind: str) -> None:
    schema = notices.document(kind)
    data = [json.loads(notice.data) for notice in published if notice.attributes["ce-type"] == kind]

    assert [path for value in data for path in contracts.unlisted(value, schema, schema)] == []
    assert set(contracts.listed(schema, schema)) - {path for value in data for path in contracts.present(value)} == set()


@pytest.mark.parametrize("kind", notices.KINDS)
def test_each_listed_attribute_occurs_and_no_other(published: list[Notice], kind: str) -> None:
    (notice, *_) = [notice for notice in published if notice.attributes["ce-type"] == kind]

    assert notice.attributes.keys() == notices.attributes(kind)["properties"].keys()


@pytest.mark.parametrize("release", ["older", "newer"])
def test_recorded_notices_of_other_releases_keep_to_the_contract(release: str) -> None:
    assert [fault for notice in recorded(RELEASES / release) for fault in contracts.faults(notice)] == []


def test_the_notices_on_the_page_keep_to_the_contract() -> None:
    printed = [json.loads(block.text) for block in blocks.read(ROOT / "docs" / "notices.md") if block.language == "json"]
    pairs = [
        Notice(json.dumps(data).encode(), attributes) for attributes, data in zip(printed[::2], printed[1::2], strict=True)
    ]

    assert {notice.attributes["ce-type"] for notice in pairs} == notices.KINDS.keys()
    assert [fault for notice in pairs for fault in contracts.faults(notice)] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("verdict",), "partial"),
        (("verdict",), "done"),
        (("job_id",), "cat.jpg"),
        (("file", "generation"), 1700000000000001),
        (("file", "crc32c"), "309ypA"),
        (("time",), "yesterday"),
        (("reason",), "It is broken"),
        (("attempt",), "1"),
        (("outputs", 0, "size"), -1),
        (("recipe", "options"), []),
        (("times", "begun"), 1.5),
    ],
)
def test_a_planted_wrong_value_is_found(published: list[Notice], path: tuple[str, ...], value: object) -> None:
    body = place = json.loads(published[0].data)
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value

    assert len(contracts.faults(Notice(json.dumps(body).encode(), published[0].attributes))) == 1


@pytest.mark.parametrize("missing", ["job_id", "file_id", "run", "file", "step", "recipe_id", "verdict", "time"])
def test_a_planted_missing_field_is_found(published: list[Notice], missing: str) -> None:
    body = json.loads(published[0].data)
    del body[missing]

    assert len(contracts.faults(Notice(json.dumps(body).encode(), published[0].attributes))) == 1


def test_a_planted_new_field_is_found_and_breaks_no_subscriber(published: list[Notice]) -> None:
    schema = notices.document(STEP_FINISHED)
    body = json.loads(published[0].data) | {"owner": "ops"}
    body["outputs"][0]["sha256"] = "00"

    assert list(contracts.unlisted(body, schema, schema)) == ["outputs.sha256", "owner"]
    assert contracts.faults(Notice(json.dumps(body).encode(), published[0].attributes)) == []


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [(("memory_bytes", "seconds"), "output_bytes"), (("memory_bytes", "seconds", "output_bytes", "x"), "x")],
)
def test_a_field_without_a_description_or_a_retired_one_is_refused(fields: tuple[str, ...], wrong: str) -> None:
    with pytest.raises(ValueError, match=rf"\['{wrong}'\]$"):
        noun(Limits, "The limits.", dict.fromkeys(fields, "About it."))
