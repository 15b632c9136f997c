"""What deploy.sh does when it cannot see, and when it may not."""

import pytest

from tests.deploy.project import HOME, UPLOADS, Deployed, Project


@pytest.mark.parametrize("command", ["up", "down"])
def test_a_list_that_cannot_be_read_stops_everything(project: Project, deployed: Deployed, command: str) -> None:
    """Else `up` would make again what it cannot see, and `down` would leave it behind."""
    project.bring_back(deployed.kept)
    project.stub.drift(UPLOADS, {"iamConfiguration": {"publicAccessPrevention": "inherited"}})
    project.stub.fault(r"GET pubsub.*/topics\?", code=403, n=9, message="User not authorized to perform this action.")
    done = project.run(command)

    assert (done.status, done.mutations, done.printed) == (2, [], "")
    assert "the state cannot be read; nothing was changed" in done.complaints
    assert "gcloud pubsub topics list" in done.complaints
    assert "User not authorized" in done.complaints
    assert "read so far: bucket" in done.complaints


def test_a_policy_that_cannot_be_read_stops_everything(project: Project, deployed: Deployed) -> None:
    project.bring_back(deployed.kept)
    project.stub.drift(UPLOADS, {"iamConfiguration": {"publicAccessPrevention": "inherited"}})
    project.stub.fault(r"GET storage.*sluice-uploads/iam", code=403, n=9, message="denied")
    done = project.run("down")

    assert (done.status, done.mutations) == (2, [])
    assert "gcloud storage buckets get-iam-policy" in done.complaints


def test_a_project_that_is_not_there_is_not_taken_for_an_empty_one(project: Project) -> None:
    done = project.run("up", "--project", "another-project")

    assert (done.status, done.mutations) == (2, [])
    assert "another-project" in done.complaints


def test_what_is_refused_for_good_is_tried_once_and_stops_what_builds_on_it(project: Project) -> None:
    project.stub.reset()
    project.stub.enable("iam", "pubsub", "storage")
    project.stub.fault(r"POST iam.*/serviceAccounts\?", code=400, n=1, message="The account limit is reached.")
    done = project.run("up")
    accounts = [line for line in done.mutations if line["path"].endswith("/serviceAccounts")]

    assert done.status == 1
    assert [line["status"] for line in accounts].count(400) == 1
    assert len(accounts) == len({line["body"]["accountId"] for line in accounts}), "nothing was tried again"
    assert "refused, at attempt 1: gcloud iam service-accounts create" in done.complaints
    assert "The account limit is reached." in done.complaints
    assert [name for name in done.state["resources"] if name.startswith((f"{HOME}/topics", "buckets/"))] == []


def test_what_never_passes_is_given_up_in_the_end(project: Project) -> None:
    project.stub.reset()
    project.stub.fault(r"POST serviceusage.*:batchEnable", code=409, n=99, message="There were concurrent policy changes.")
    done = project.run("up")

    assert done.status == 1
    assert [line["status"] for line in done.mutations] == [409] * 6
    assert "refused, at attempt 6: gcloud services enable" in done.complaints
