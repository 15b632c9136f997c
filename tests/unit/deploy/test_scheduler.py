"""The schedule of sweeps: one job, made, repaired, resumed, switched off; and what doctor and status say of it."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy import scheduler
from deploy.answers import Json, parsed
from deploy.deployment import Deployment
from deploy.down import down
from deploy.errors import Failed
from deploy.kinds import Schedule
from deploy.running import Runner
from shared.cloud.tasks import PART_SECONDS
from shared.routes.definitions import SWEEPER
from shared.sweep_part import WINDOW_DAYS
from tests.unit.deploy.example import deployment
from tests.unit.deploy.test_changes import changed, commands

SERVICE = "https://sluice-sweeper-42.us-central1.run.app"
#: As gcloud prints it.
JOB: Json = {
    "name": "projects/demo-project/locations/us-central1/jobs/sluice-sweep",
    "schedule": "0 */1 * * *",
    "timeZone": "Etc/UTC",
    "state": "ENABLED",
    "attemptDeadline": "1800s",
    "retryConfig": {"retryCount": 3, "minBackoffDuration": "60s", "maxBackoffDuration": "600s", "maxDoublings": 5},
    "httpTarget": {
        "uri": f"{SERVICE}/",
        "httpMethod": "POST",
        "oidcToken": {"serviceAccountEmail": "sluice-clock@demo-project.iam.gserviceaccount.com", "audience": SERVICE},
    },
}
RESUME = "scheduler jobs resume sluice-sweep --location=us-central1"
DELETE = "scheduler jobs delete sluice-sweep --location=us-central1"


def with_job(folder: Path, found: Json | None, **options: str) -> Deployment:
    it = deployment(folder, **options)
    it.state.schedules = {"sluice-sweep": parsed(Schedule, found)} if found else {}
    return it


def asked(folder: Path, found: Json | None, minutes: str = "60") -> list[str]:
    return commands(scheduler.schedule(with_job(folder, found), minutes))


def test_a_schedule_that_is_missing_is_created(tmp_path: Path) -> None:
    (create,) = asked(tmp_path, None)

    assert create == (
        "scheduler jobs create http sluice-sweep --location=us-central1 --schedule=0 */1 * * * --time-zone=Etc/UTC "
        f"--uri={SERVICE}/ --http-method=post --oidc-service-account-email=sluice-clock@demo-project.iam.gserviceaccount.com "
        f"--oidc-token-audience={SERVICE} --attempt-deadline=1800s --max-retry-attempts=3 --min-backoff=60s --max-backoff=600s"
    )


def test_a_schedule_as_it_should_be_is_left_alone_however_its_last_call_ended(tmp_path: Path) -> None:
    assert asked(tmp_path, JOB) == []
    assert asked(tmp_path, JOB | {"status": {"code": 13}, "lastAttemptTime": "today", "description": "ours"}) == []


@pytest.mark.parametrize("state", ["DISABLED", "UPDATE_FAILED"])
def test_a_schedule_that_cloud_scheduler_gave_up_is_made_anew(state: str, tmp_path: Path) -> None:
    deleted, created = asked(tmp_path, JOB | {"state": state})

    assert deleted == DELETE
    assert [created] == asked(tmp_path, None)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schedule",), "0 0 * * *"),
        (("timeZone",), "Europe/Berlin"),
        (("attemptDeadline",), "180s"),
        (("retryConfig", "retryCount"), 0),
        (("retryConfig", "minBackoffDuration"), "5s"),
        (("retryConfig", "maxBackoffDuration"), "3600s"),
        (("httpTarget", "uri"), "https://elsewhere.example/"),
        (("httpTarget", "httpMethod"), "GET"),
        (("httpTarget", "oidcToken", "serviceAccountEmail"), "me@example.com"),
        (("httpTarget", "oidcToken", "audience"), f"{SERVICE}/"),
    ],
)
def test_a_schedule_that_differs_is_updated(path: tuple[str, ...], value: Any, tmp_path: Path) -> None:
    (update,) = asked(tmp_path, changed(JOB, *path, value=value))

    assert update.startswith("scheduler jobs update http sluice-sweep --location=us-central1 --schedule=0 */1 * * *")


def test_a_paused_schedule_is_resumed_after_it_is_mended(tmp_path: Path) -> None:
    assert asked(tmp_path, JOB | {"state": "PAUSED"}) == [RESUME]
    assert [line.split()[2] for line in asked(tmp_path, JOB | {"state": "PAUSED", "attemptDeadline": "15s"})] == [
        "update",
        "resume",
    ]


def test_zero_minutes_are_no_schedule(tmp_path: Path) -> None:
    assert asked(tmp_path, JOB, "0") == [DELETE]
    assert asked(tmp_path, None, "0") == []


@pytest.mark.parametrize(
    ("minutes", "times"),
    [("10", "*/10 * * * *"), ("30", "*/30 * * * *"), ("60", "0 */1 * * *"), ("720", "0 */12 * * *"), ("1440", "0 0 * * *")],
)
def test_minutes_become_times(minutes: str, times: str, tmp_path: Path) -> None:
    it = with_job(tmp_path, JOB | {"schedule": times}, sweep_minutes=minutes)

    assert commands(scheduler.schedule(it, minutes)) == []


@pytest.mark.parametrize("minutes", ["1", "5", "45", "90", "300", "2880", "-60", "60m"])
def test_minutes_that_no_times_have_are_refused(minutes: str, tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"--sweep-minutes is '.*'; it takes 10, 15, .* or 1440; 0: never"):
        deployment(tmp_path, sweep_minutes=minutes)


def test_the_option_is_the_number_in_the_list(tmp_path: Path) -> None:
    (line,) = [line for line in deployment(tmp_path, sweep_minutes="240").listing.lines if line.word == "schedule"]

    assert line.arguments == ("240",)


def test_results_are_kept_for_longer_than_a_sweep_looks_back(tmp_path: Path) -> None:
    for days in ("0", str(WINDOW_DAYS + 1), "30", "365", "99999"):
        assert deployment(tmp_path, keep_results_days=days).options.keep_results_days == days
    for refused in range(1, WINDOW_DAYS + 1):
        with pytest.raises(Failed, match=f"--keep-results-days is '{refused}'; .* of the last {WINDOW_DAYS} days"):
            deployment(tmp_path, keep_results_days=str(refused))


def test_the_clock_waits_as_long_as_the_sweeper_may_take(tmp_path: Path) -> None:
    (line,) = [line for line in deployment(tmp_path).listing.lines if line.arguments[:1] == ("sweeper",)]

    assert int(line.arguments[4]) == scheduler.ANSWER_SECONDS == PART_SECONDS
    assert int(line.arguments[3]) > SWEEPER.max_concurrent_dispatches  # the clock calls while a part is at work


@pytest.mark.parametrize(
    ("found", "minutes", "said"),
    [
        (None, "60", "missing"),
        (None, "0", "off"),
        (JOB, "60", "ENABLED   0 */1 * * *, not called yet"),
        (JOB | {"lastAttemptTime": "today", "status": {}}, "60", "ENABLED   0 */1 * * *, last call today succeeded"),
        (JOB | {"lastAttemptTime": "today", "status": {"code": 7}}, "60", "ENABLED   0 */1 * * *, last call today failed (code 7)"),
    ],
)  # fmt: skip
def test_status_says_how_the_last_call_ended(found: Json | None, minutes: str, said: str, tmp_path: Path) -> None:
    assert scheduler.described(with_job(tmp_path, found, sweep_minutes=minutes)) == said


def test_doctor_misses_no_schedule_that_is_switched_off(tmp_path: Path) -> None:
    on, off = with_job(tmp_path, None), with_job(tmp_path, None, sweep_minutes="0")

    assert ["the schedule" in what for what, _ in scheduler.faults(on)] == [False, False, False, True]
    assert ["the schedule" in what for what, _ in scheduler.faults(off)] == [False, False, False]


def test_doctor_prints_the_commands_that_mend(tmp_path: Path) -> None:
    fixes = [fix.replace(" \\\n    ", " ") for _, fix in scheduler.faults(with_job(tmp_path, JOB | {"state": "PAUSED"}))]
    add = "add-iam-policy-binding"

    assert fixes[0].startswith(f"gcloud run services {add} sluice-sweeper --region=us-central1")
    assert fixes[2] == (
        f"gcloud projects {add} demo-project --condition=None "
        "--member=serviceAccount:service-42@gcp-sa-cloudscheduler.iam.gserviceaccount.com "
        "--role=roles/cloudscheduler.serviceAgent"
    )
    assert fixes[3] == f"gcloud {RESUME}"


def test_down_deletes_the_schedule(tmp_path: Path) -> None:
    it, printed = with_job(tmp_path, JOB), io.StringIO()
    it.options = replace(it.options, command="down")
    down(it, Runner(None, printed))

    assert f"gcloud {DELETE}" in printed.getvalue()
