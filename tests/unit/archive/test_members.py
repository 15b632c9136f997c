"""The extracted files of a job, page by page, with their states."""

import pytest

from shared import status_queries
from shared.errors import BadFile, BadRequest, NotFound
from shared.model import File, Run
from shared.testing import FakeCloud
from tests.unit.plans import Script, plan, step
from tests.unit.working import Uploaded, work


@pytest.fixture
def job_id(uploaded: Uploaded) -> str:
    return Run(uploaded("pets.zip", b"PK", "application/zip")).job_id


def page(cloud: FakeCloud, kind: str, asked: str, token: str = "") -> dict[str, object]:
    answer = status_queries.answer(kind, asked, {"members": token}, cloud)
    assert isinstance(answer, dict)
    return answer


def test_members_are_listed_with_their_states(cloud: FakeCloud, job_id: str, uploaded: Uploaded, script: Script) -> None:
    good: File = uploaded(f"extracted/{job_id}/1/cat.jpg", b"meow")
    bad = uploaded(f"extracted/{job_id}/2/dog.jpg", b"woof!")
    uploaded(f"extracted/{job_id}/3/new.jpg", b"?")
    uploaded(f"extracted/{job_id}-r1/1/cat.jpg", b"meow")
    work(plan(step("a")), cloud, good)
    script.raises["a"] = BadFile("cut short", "corrupt")
    work(plan(step("a")), cloud, bad)

    found = page(cloud, "jobs", job_id)

    assert found == {
        "job_id": job_id,
        "members": [
            {"number": 1, "object": good.name, "state": "succeeded", "job_id": Run(good).job_id, "size": 4,
             "content_type": "image/jpeg", "reasons": []},
            {"number": 2, "object": bad.name, "state": "failed", "job_id": Run(bad).job_id, "size": 5,
             "content_type": "image/jpeg", "reasons": ["corrupt"]},
            {"number": 3, "object": f"extracted/{job_id}/3/new.jpg", "state": "accepted", "size": 1,
             "content_type": "image/jpeg", "reasons": [], "job_id": found["members"][2]["job_id"]},  # type: ignore[index]
        ],
        "next": "",
    }  # fmt: skip
    assert page(cloud, "objects", "pets.zip") == found


def test_pages_follow_each_other(cloud: FakeCloud, job_id: str, uploaded: Uploaded) -> None:
    for number in range(100, 220):
        uploaded(f"extracted/{job_id}/{number}/x.jpg", b"x")
    numbers, token = list[int](), ""
    for _ in range(3):
        found = page(cloud, "jobs", job_id, token)
        numbers += [member["number"] for member in found["members"]]  # type: ignore[attr-defined]
        token = str(found["next"])

    assert (numbers, token) == (list(range(100, 220)), "")


def test_a_job_that_extracted_nothing_has_no_members(cloud: FakeCloud, job_id: str) -> None:
    assert page(cloud, "jobs", job_id) == {"job_id": job_id, "members": [], "next": ""}


def test_members_are_those_of_a_job(cloud: FakeCloud, job_id: str) -> None:
    with pytest.raises(NotFound):
        page(cloud, "jobs", job_id.partition("-")[0])
    with pytest.raises(NotFound):
        page(cloud, "jobs", "../secret")
    with pytest.raises(BadRequest):
        page(cloud, "jobs", job_id, "x" * 1025)
