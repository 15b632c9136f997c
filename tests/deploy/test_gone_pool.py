"""A pool gets another name: its queue moves, and the old service is left until it is deleted by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.deploy.project import HOME, PLACE, SERVICES, Deployed, Project, Run, account, url

SLOW = f"{SERVICES}processor-slow"
SLOW_ACCOUNT = f"{HOME}/serviceAccounts/{account('processor-slow')}"
DELETE = "gcloud run services delete sluice-processor-slow --region=us-central1"
#: Several runs of deploy.sh; test_up.py, test_drift.py and test_down.py play the same commands in fewer.
pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Renamed:
    """After the pool was renamed: `up`, `doctor`, `up` again; `up` twice with its service deleted; `down` with it."""

    first: Run
    doctor: Run
    again: Run
    cleaned: Run
    nothing: Run
    down: Run


@pytest.fixture(scope="module")
def renamed(project: Project, deployed: Deployed) -> Iterator[Renamed]:
    project.bring_back(deployed.kept)
    with quick_in_place_of_slow(project):
        first, doctor, again = project.run("up"), project.run("doctor"), project.run("up")
        kept = project.keep()
        project.stub.world.delete(SLOW)
        cleaned, nothing = project.run("up"), project.run("up")
        project.bring_back(kept)
        yield Renamed(first, doctor, again, cleaned, nothing, project.run("down"))


@contextmanager
def quick_in_place_of_slow(project: Project) -> Iterator[None]:
    pipeline = project.tree / "pipeline.toml"
    text = pipeline.read_text()
    pipeline.write_text(text.replace("slow", "quick"))
    try:
        yield
    finally:
        pipeline.write_text(text)


def grants_of_slow(run: Run) -> set[str]:
    member = f"serviceAccount:{account('processor-slow')}"
    return {name for name, policy in run.state["policies"].items() if member in str(policy)}


def test_the_queue_calls_the_new_pool_once_its_service_is_there(renamed: Renamed) -> None:
    assert renamed.first.status == 0, renamed.first.complaints
    target = renamed.first.state["resources"][f"{PLACE}/queues/sluice-digests"]["httpTarget"]
    (moved,) = renamed.first.asked("PATCH", "/queues/sluice-digests")

    assert target["uriOverride"]["host"] == url("processor-quick").removeprefix("https://")
    assert moved > max(renamed.first.asked("POST", "/services"))
    assert moved > max(renamed.first.asked("POST", "/services/sluice-processor-quick:setIamPolicy"))


def test_the_service_of_the_old_pool_keeps_its_rights_for_tasks_that_wait(renamed: Renamed, deployed: Deployed) -> None:
    assert renamed.first.state["resources"][SLOW] == deployed.first.state["resources"][SLOW]
    assert grants_of_slow(renamed.first) == grants_of_slow(deployed.first)
    assert renamed.first.state["policies"][SLOW] == deployed.first.state["policies"][SLOW]


def test_every_up_and_doctor_name_it_with_the_command_that_deletes_it(renamed: Renamed) -> None:
    left = "the service sluice-processor-slow is left behind: pipeline.toml has no such pool"

    assert [run.complaints.count(f"note: {left}. ") for run in (renamed.first, renamed.again, renamed.nothing)] == [1, 1, 0]
    assert all(DELETE in text for text in (renamed.first.complaints, renamed.doctor.printed))
    assert (renamed.doctor.status, left in renamed.doctor.printed) == (1, True)


def test_a_second_up_changes_nothing(renamed: Renamed) -> None:
    assert (renamed.again.status, renamed.again.mutations) == (0, [])


def test_after_its_service_is_deleted_up_removes_its_account_and_all_its_grants(renamed: Renamed) -> None:
    assert renamed.cleaned.status == 0, renamed.cleaned.complaints
    assert SLOW_ACCOUNT not in renamed.cleaned.state["resources"]
    assert "processor-slow" not in str(renamed.cleaned.state["policies"])
    assert (renamed.nothing.mutations, renamed.nothing.complaints) == ([], "")


def test_down_removes_its_service_its_account_and_all_its_grants(renamed: Renamed) -> None:
    assert renamed.down.status == 0, renamed.down.complaints
    assert {SLOW, SLOW_ACCOUNT}.isdisjoint(renamed.down.state["resources"])
    assert "processor-slow" not in str(renamed.down.state["policies"])
