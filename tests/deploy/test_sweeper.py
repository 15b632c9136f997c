"""The sweeper as `up` makes it by the real gcloud: its schedule, its queue, its service."""

import subprocess

from tests.deploy.project import HOME, PLACE, SERVICES, Deployed, Project, account, url
from tests.deploy.stub.world import NUMBER

JOB = f"{PLACE}/jobs/sluice-sweep"


def test_cloud_scheduler_calls_the_sweeper_every_hour_as_the_clock(deployed: Deployed) -> None:
    job = deployed.first.state["resources"][JOB]

    assert (job["schedule"], job["timeZone"], job["state"]) == ("0 */1 * * *", "Etc/UTC", "ENABLED")
    assert (job["httpTarget"]["uri"], job["httpTarget"]["httpMethod"]) == (f"{url('sweeper')}/", "POST")
    assert job["httpTarget"]["oidcToken"] == {"serviceAccountEmail": account("clock"), "audience": url("sweeper")}
    assert (job["attemptDeadline"], job["retryConfig"]["retryCount"]) == ("1800s", 3)


def test_the_schedule_begins_when_the_sweeper_may_be_called(deployed: Deployed) -> None:
    (scheduled,) = deployed.first.asked("POST", "/jobs")

    assert scheduled > max(deployed.first.asked("POST", "/services/sluice-sweeper:setIamPolicy"))


def test_the_parts_of_a_sweep_are_delivered_one_at_a_time_for_a_week(deployed: Deployed) -> None:
    queue = deployed.first.state["resources"][f"{PLACE}/queues/sluice-sweeper"]

    rates, retries = queue["rateLimits"], queue["retryConfig"]
    assert (rates["maxDispatchesPerSecond"], rates["maxConcurrentDispatches"]) == (1, 2)
    assert (retries["maxRetryDuration"], retries["minBackoff"], retries["maxBackoff"]) == ("604800s", "10s", "3600s")
    assert f"https://{queue['httpTarget']['uriOverride']['host']}" == url("sweeper")
    assert queue["httpTarget"]["oidcToken"] == {"serviceAccountEmail": account("tasks"), "audience": url("sweeper")}
    assert not queue["httpTarget"]["uriOverride"].get("pathOverride")  # the task's own path stays: /parts


def test_the_sweeper_has_half_an_hour_and_one_instance(deployed: Deployed) -> None:
    template = deployed.first.state["resources"][f"{SERVICES}sweeper"]["spec"]["template"]

    assert (template["spec"]["timeoutSeconds"], template["spec"]["containerConcurrency"]) == (1800, 3)
    assert template["metadata"]["annotations"]["autoscaling.knative.dev/maxScale"] == "1"


def test_the_agent_of_cloud_scheduler_is_made_before_it_is_granted_anything(deployed: Deployed) -> None:
    agent = f"service-{NUMBER}@gcp-sa-cloudscheduler.iam.gserviceaccount.com"
    bindings = deployed.first.state["policies"][HOME]["bindings"]

    assert agent in deployed.first.state["agents"]
    assert {"role": "roles/cloudscheduler.serviceAgent", "members": [f"serviceAccount:{agent}"]} in bindings


def test_zero_minutes_delete_the_schedule_and_the_alert_about_it(project: Project, deployed: Deployed) -> None:
    project.bring_back(deployed.kept)
    off = project.run("up", "--sweep-minutes=0")

    titles = {name: value.get("displayName", "") for name, value in deployed.first.state["resources"].items()}
    gone = {name for name in deployed.first.state["resources"] if name not in off.state["resources"]}

    assert gone == {JOB, *(name for name, title in titles.items() if title.endswith(": no sweep"))}
    assert [line["path"].rpartition("/")[2] for line in off.mutations if line["method"] != "DELETE"] == ["o"]  # the options


def test_status_shows_the_schedule_and_doctor_a_call_that_failed(project: Project, deployed: Deployed) -> None:
    project.bring_back(deployed.kept)
    project.stub.drift(JOB, {"lastAttemptTime": "2026-11-28T10:00:01Z", "status": {"code": 7}})
    status, doctor = project.run("status"), project.run("doctor")
    call = ["gcloud", "scheduler", "jobs", "run", "sluice-sweep", "--location=us-central1"]
    subprocess.run(call, env=project.environment, check=True, capture_output=True)

    assert (
        "sluice-sweep                   ENABLED   0 */1 * * *, last call 2026-11-28T10:00:01Z failed (code 7)" in status.printed
    )
    assert "* the last call of the schedule sluice-sweep failed (code 7, 2026-11-28T10:00:01Z)" in doctor.printed
    assert f"fix: {' '.join(call)}; why it fails: " in doctor.printed
    assert "No fault found." in project.run("doctor").printed
