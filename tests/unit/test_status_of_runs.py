"""The status of a file with later runs and several generations, by name and by id."""

import json
from dataclasses import replace

import pytest

from shared import status
from shared.errors import BadFile, BadRequest, NotFound
from shared.model import File, Run
from shared.testing import FakeCloud
from tests.unit.pipeline.calls import Counted
from tests.unit.plans import Script, chain, plan, step
from tests.unit.working import Uploaded, again, work


@pytest.fixture
def cat(uploaded: Uploaded) -> File:
    return uploaded("cats/Käthe 1.jpg", b"meow")


def test_a_run_that_was_claimed_is_in_work_before_its_first_manifest(cloud: FakeCloud, cat: File, script: Script) -> None:
    script.raises["a"] = BadFile("cut short", "corrupt")
    steps = plan(step("a"), step("b", after=("a",)))
    work(steps, cloud, cat)
    run = again(cat, steps, cloud, deliver=False)

    found = status.of_object(cat.name, cloud)

    assert (found["state"], found["run"], found["job_id"]) == ("processing", 1, run.job_id)
    assert [one["state"] for one in found["steps"]] == ["queued", "queued"]
    assert found["since"]


def test_a_file_is_shown_by_its_newest_run(cloud: FakeCloud, cat: File, script: Script) -> None:
    script.raises["b"] = BadFile("cut short", "corrupt")
    steps = plan(step("a"), step("b"))
    work(steps, cloud, cat)
    seen = [status.of_object(cat.name, cloud)]
    script.raises.clear()
    again(cat, steps, cloud)
    seen.append(status.of_object(cat.name, cloud))

    assert [(one["run"], one["state"]) for one in seen] == [(0, "partial"), (1, "succeeded")]
    assert [one.get("adopted", "") for one in seen[1]["steps"]] == [Run(cat).job_id, ""]


def test_runs_are_compared_as_numbers_not_as_text(cloud: FakeCloud, cat: File, script: Script) -> None:
    steps = plan(step("a"))
    work(steps, cloud, cat)
    for _ in range(11):
        again(cat, steps, cloud)

    assert status.of_object(cat.name, cloud)["run"] == 11


def test_a_newer_upload_stands_before_the_older_verdicts(
    cloud: FakeCloud, cat: File, uploaded: Uploaded, script: Script
) -> None:
    work(chain(), cloud, cat)
    newer = uploaded(cat.name, b"meow meow")

    found = status.of_object(cat.name, cloud)
    older = status.earlier(cat.file_id, found["older"], cloud)

    assert (found["state"], found["generation"]) == ("accepted", str(newer.generation))
    assert [(job["state"], job["generation"]) for job in older["jobs"]] == [("succeeded", str(cat.generation))]
    assert older["older"] == ""


def test_older_generations_come_in_pages(cloud: FakeCloud, cat: File, script: Script) -> None:
    files = [replace(cat, generation=cat.generation - number) for number in range(25)]
    for file in files:
        work(plan(step("a")), cloud, file)
    pages, token = [], status.of_object(cat.name, cloud)["older"]
    while token:
        page = status.earlier(cat.file_id, token, cloud)
        pages.append([job["generation"] for job in page["jobs"]])
        token = page["older"]

    assert [len(page) for page in pages] == [10, 10, 4]
    assert [one for page in pages for one in page] == [str(file.generation) for file in files[1:]]


def test_an_older_generation_has_no_addresses(cloud: FakeCloud, cat: File, uploaded: Uploaded, script: Script) -> None:
    work(plan(step("a")), cloud, cat)
    uploaded(cat.name, b"meow meow")

    (job,) = status.earlier(cat.file_id, status.of_object(cat.name, cloud)["older"], cloud)["jobs"]

    assert "url" not in job["steps"][0]["outputs"][0]
    assert "url" not in status.of_id(Run(cat).job_id, cloud)["steps"][0]["outputs"][0]


def test_the_calls_do_not_grow_with_older_generations(cloud: FakeCloud, cat: File, uploaded: Uploaded, script: Script) -> None:
    counts = []
    for _ in range(3):
        file = uploaded(cat.name, b"meow")
        work(plan(step("a")), cloud, file)
        results, cloud.results = cloud.results, Counted(cloud.results)  # type: ignore[assignment]
        counts.append((len(json.dumps(status.of_object(cat.name, cloud))), len(cloud.results.calls)))  # type: ignore[attr-defined]
        cloud.results = results

    assert abs(counts[1][0] - counts[2][0]) < 10  # CPU seconds have more or fewer digits
    assert counts[1][1] == counts[2][1] == 4  # claims, manifests, one manifest, the oldest generation


@pytest.mark.parametrize("token", ["", "x", "-1", "7.0", "9" * 30])
def test_a_token_of_another_kind_is_refused(cloud: FakeCloud, cat: File, token: str) -> None:
    with pytest.raises(BadRequest, match="send the value of `older`") as refused:
        status.earlier(cat.file_id, token, cloud)

    assert refused.value.code == "bad_token"


# ---- ids


def test_ids_are_answered_from_the_first_verdict_on(cloud: FakeCloud, cat: File, script: Script) -> None:
    with pytest.raises(NotFound, match="ask by name: /objects/<name>") as early:
        status.of_id(cat.file_id, cloud)
    work(chain(), cloud, cat, "0-q1")

    assert early.value.code == "no_verdict_yet"
    by_id, by_name = status.of_id(cat.file_id, cloud), status.of_object(cat.name, cloud)
    assert by_id == by_name
    assert status.of_id(Run(cat).job_id, cloud)["object"] == cat.name


def test_a_job_id_is_that_generation_alone(cloud: FakeCloud, cat: File, script: Script) -> None:
    newer = replace(cat, generation=cat.generation + 1)
    for file in (cat, newer):
        work(chain(), cloud, file, "0-q1")

    found = status.of_id(Run(cat).job_id, cloud)

    assert found["generation"] == str(cat.generation)
    assert found["older"] == ""


def test_a_job_id_is_the_newest_run_of_its_upload_or_exactly_one_run(cloud: FakeCloud, cat: File, script: Script) -> None:
    steps = plan(step("a"))
    work(steps, cloud, cat)
    first, run = Run(cat).job_id, again(cat, steps, cloud)

    found = [status.of_id(identity, cloud)["job_id"] for identity in (cat.file_id, first, f"{first}-r0", f"{first}-r1")]

    assert found == [run.job_id, run.job_id, first, run.job_id]
    with pytest.raises(NotFound):
        status.of_id(f"{first}-r2", cloud)


@pytest.mark.parametrize(
    "identity",
    ["", "cat.jpg", "a" * 25, "a" * 27, "A" * 26, "1" * 26, "a" * 26 + "-", "a" * 26 + "-x", "a" * 26 + "/", "a" * 26 + "-7\n"],
)
def test_a_malformed_id_is_refused_with_the_right_form(cloud: FakeCloud, identity: str) -> None:
    with pytest.raises(NotFound, match="is neither a file id") as refused:
        status.of_id(identity, cloud)

    assert refused.value.code == "not_found"
