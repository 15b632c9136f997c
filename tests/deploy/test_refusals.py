"""deploy.sh stops when it cannot read the state, and when a command is refused."""

import pytest

from tests.deploy.project import HOME, RESULTS, UPLOADS, Deployed, Project


@pytest.mark.parametrize("command", ["up", "down"])
def test_a_list_that_cannot_be_read_stops_everything(project: Project, deployed: Deployed, command: str) -> None:
    """Else `up` would create existing resources again, and `down` would leave them behind."""
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


def test_a_missing_project_is_not_taken_for_an_empty_one(project: Project) -> None:
    done = project.run("up", "--project", "another-project")

    assert (done.status, done.mutations) == (2, [])
    assert "another-project" in done.complaints


def test_a_permanent_error_is_not_retried_and_stops_later_steps(project: Project) -> None:
    project.empty()
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


def test_a_transient_error_that_stays_is_given_up(project: Project) -> None:
    project.empty()
    project.stub.fault(r"POST serviceusage.*:batchEnable", code=409, n=99, message="There were concurrent policy changes.")
    done = project.run("up")

    assert done.status == 1
    assert [line["status"] for line in done.mutations] == [409] * 6
    assert "refused, at attempt 6: gcloud services enable" in done.complaints


@pytest.mark.parametrize("command", [["up"], ["down"], ["down", "--delete-data", "--yes"]], ids=" ".join)
def test_a_wrong_region_is_noticed_before_anything_is_changed(project: Project, deployed: Deployed, command: list[str]) -> None:
    """Else `down` would delete buckets and accounts of services in another region."""
    project.bring_back(deployed.kept)
    project.stub.drift(RESULTS, {"location": "EUROPE-WEST4"})
    done = project.run(*command)

    assert (done.status, done.mutations, done.printed) == (1, [], "")
    assert f"bucket {RESULTS[8:]} is in EUROPE-WEST4, not in US-CENTRAL1; nothing was changed" in done.complaints


@pytest.mark.parametrize(("typed", "complaint"), [("", "say --yes too"), ("yes", "that is not the prefix")])
def test_data_is_not_deleted_without_consent(project: Project, deployed: Deployed, typed: str, complaint: str) -> None:
    project.bring_back(deployed.kept)
    done = project.run("down", "--delete-data", typed=typed)

    assert (done.status, done.mutations) == (1, [])
    assert complaint in done.complaints


@pytest.mark.long
def test_data_is_deleted_once_the_prefix_is_typed(project: Project, deployed: Deployed) -> None:
    project.bring_back(deployed.kept)
    done = project.run("down", "--delete-data", typed="sluice")

    assert done.status == 0, done.complaints
    assert not {UPLOADS, RESULTS} & set(done.state["resources"])


def test_up_changes_nothing_while_the_secret_of_a_webhook_is_missing(project: Project) -> None:
    project.stub.reset()
    done = project.run("up")

    assert (done.status, done.mutations) == (1, [])
    assert "the secret orders-webhook of the webhook orders is missing; make one:\n  gcloud services enable " in done.complaints
    assert done.complaints.endswith("nothing was changed\n")
