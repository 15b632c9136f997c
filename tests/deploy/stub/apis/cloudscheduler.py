"""cloudscheduler.googleapis.com: jobs that call a URL."""

import copy
import re

from tests.deploy.stub.wire import Api, Call, Json, Refused
from tests.deploy.stub.world import PROJECT, World, merge, overlay

API = Api("cloudscheduler")
JOBS = "/v1/projects/{project}/locations/{location}/jobs"
#: As the service fills in what was not given.
_DEFAULTS: Json = {
    "attemptDeadline": "180s",
    "retryConfig": {
        "maxRetryDuration": "0s",
        "minBackoffDuration": "5s",
        "maxBackoffDuration": "3600s",
        "maxDoublings": 5,
    },
    "httpTarget": {"httpMethod": "POST", "headers": {"User-Agent": "Google-Cloud-Scheduler"}},
    "state": "ENABLED",
    "timeZone": "Etc/UTC",
}


def job_name(call: Call) -> str:
    return f"projects/{PROJECT}/locations/{call.named['location']}/jobs/{call.named['job']}"


@API.route("GET", JOBS)
def jobs(world: World, call: Call) -> Json:
    return {"jobs": world.under(f"projects/{PROJECT}/locations/{call.named['location']}/jobs/")}


@API.route("POST", JOBS)
def create(world: World, call: Call) -> Json:
    return world.create(call.body["name"], _filled(world, call.body))


@API.route("GET", JOBS + "/{job}")
def describe(world: World, call: Call) -> Json:
    return world.get(job_name(call))


@API.route("PATCH", JOBS + "/{job}")
def update(world: World, call: Call) -> Json:
    found = copy.deepcopy(world.get(job_name(call)))
    merge(found, call.body, call.query.get("updateMask", ",".join(key for key in call.body if key != "name")))
    world.resources[job_name(call)] = _filled(world, found)
    return world.resources[job_name(call)]


@API.route("DELETE", JOBS + "/{job}")
def delete(world: World, call: Call) -> Json:
    world.delete(job_name(call))
    return {}


def _switched(verb: str, before: str, after: str) -> None:
    @API.route("POST", JOBS + "/{job}:" + verb)
    def switch(world: World, call: Call) -> Json:
        found = world.get(job_name(call))
        if found["state"] != before:
            raise Refused(400, f"The job is not {before}.", "FAILED_PRECONDITION")
        found["state"] = after
        return found


_switched("pause", "ENABLED", "PAUSED")
_switched("resume", "PAUSED", "ENABLED")


@API.route("POST", JOBS + "/{job}:run")
def run(world: World, call: Call) -> Json:
    """The call succeeds at once."""
    found = world.get(job_name(call))
    found.update(lastAttemptTime="2026-11-29T12:00:00Z", status={})
    return found


def _filled(world: World, wanted: Json) -> Json:
    job = copy.deepcopy(_DEFAULTS)
    overlay(job, wanted)
    target = job["httpTarget"]
    if not target.get("uri", "").startswith("https://"):
        raise Refused(400, "HttpTarget.uri must begin with https:// here.")
    if email := target.get("oidcToken", {}).get("serviceAccountEmail"):
        world.require_account(email)
    if not re.fullmatch(r"\S+( \S+){4}", job.get("schedule", "")):
        raise Refused(400, "Schedule or time zone is invalid.")
    if not 15 <= float(job["attemptDeadline"].removesuffix("s")) <= 1800:
        raise Refused(400, "The attempt deadline must be between 15 seconds and 30 minutes.")
    if not 0 <= job["retryConfig"].get("retryCount", 0) <= 5:
        raise Refused(400, "RetryConfig.retry_count must be in the range 0 to 5.")
    return job
