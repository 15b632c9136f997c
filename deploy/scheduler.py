"""The schedule of the sweeps: a job of Cloud Scheduler calls the sweeper, under the account `clock`."""

from collections.abc import Iterator

from deploy import grants
from deploy.deployment import Deployment
from deploy.gcloud import Command, shown
from deploy.kinds import Grant, Schedule

UP = "./deploy.sh up"
JOBS = ["scheduler", "jobs"]
SERVICE = "sweeper"
#: The name of the job after the prefix.
NAME = "sweep"
#: The longest that Cloud Scheduler waits for an answer, as long as the sweeper may take.
ANSWER_SECONDS = 1800
#: After a call that failed; then comes the next one of the schedule.
RETRIES, MIN_BACKOFF, MAX_BACKOFF = 3, 60, 600
#: States of a job that can be updated. Cloud Scheduler's others, DISABLED and UPDATE_FAILED, are its own.
WORKING = ("ENABLED", "PAUSED")
#: Grants that sweeps stop without: resource, role, member, the fault in words.
NEEDED = (
    (f"service:{SERVICE}", "run.invoker", "clock", "Cloud Scheduler may not call {name} (missing invoker): no sweep begins"),
    (f"service:{SERVICE}", "run.invoker", "tasks", "Cloud Tasks may not call {name} (missing invoker): no sweep goes on"),
    ("project", "cloudscheduler.serviceAgent", "agent:scheduler", "Cloud Scheduler may not make tokens (missing role of its "
     "service agent): its calls of {name} end in 403"),
)  # fmt: skip


def schedule(deployment: Deployment, minutes: str) -> Iterator[list[Command]]:
    """The job that begins a sweep every so many minutes; 0: none. A paused one is resumed, a broken one made anew."""
    if minutes == "0":
        yield from removal(deployment)
        return
    found, wanted, job = _found(deployment), _wanted(deployment, int(minutes)), []
    if is_broken := found is not None and found.state not in WORKING:
        job.append(_command(deployment, "delete"))
    if is_broken or found != wanted:
        verb = "update" if found and not is_broken else "create"
        job.append([*JOBS, verb, "http", deployment.full(NAME), deployment.at_location, *_flags(wanted)])
    if found and found.state == "PAUSED":
        job.append(_command(deployment, "resume"))
    if job:
        yield job


def removal(deployment: Deployment) -> Iterator[list[Command]]:
    """Delete the job, so that no sweep begins."""
    if _found(deployment):
        yield [_command(deployment, "delete")]


def _found(deployment: Deployment) -> Schedule | None:
    return deployment.state.schedules.get(deployment.full(NAME))


def _command(deployment: Deployment, verb: str) -> Command:
    return [*JOBS, verb, deployment.full(NAME), deployment.at_location]


def _wanted(deployment: Deployment, minutes: int) -> Schedule:
    url = deployment.url(SERVICE)
    return Schedule(
        times=_cron(minutes),
        time_zone="Etc/UTC",
        url=f"{url}/",
        method="POST",
        account=deployment.email("clock"),
        audience=url,
        answer_seconds=ANSWER_SECONDS,
        retries=RETRIES,
        min_backoff=MIN_BACKOFF,
        max_backoff=MAX_BACKOFF,
    )


def _cron(minutes: int) -> str:
    """The times of a part of an hour, or of some hours that are a part of a day."""
    hours = minutes // 60
    return f"*/{minutes} * * * *" if not hours else "0 0 * * *" if hours == 24 else f"0 */{hours} * * *"


def _flags(wanted: Schedule) -> list[str]:
    return [
        f"--schedule={wanted.times}",
        f"--time-zone={wanted.time_zone}",
        f"--uri={wanted.url}",
        f"--http-method={wanted.method.lower()}",
        f"--oidc-service-account-email={wanted.account}",
        f"--oidc-token-audience={wanted.audience}",
        f"--attempt-deadline={wanted.answer_seconds:g}s",
        f"--max-retry-attempts={wanted.retries:g}",
        f"--min-backoff={wanted.min_backoff:g}s",
        f"--max-backoff={wanted.max_backoff:g}s",
    ]


def described(deployment: Deployment) -> str:
    """For `status`: the state of the job, its times, and how its last call ended."""
    found = _found(deployment)
    if found is None:
        return "off" if deployment.options.sweep_minutes == "0" else "missing"
    last = f"failed (code {found.code:g})" if found.code else "succeeded"
    called = f"last call {found.called} {last}" if found.called else "not called yet"
    return f"{found.state:9} {found.times}, {called}"


def faults(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """For `doctor`: each fault of the sweeps, and the command that mends it."""
    for resource, role, member, what in NEEDED:
        grant = Grant(f"roles/{role}", grants.member(deployment, member))
        if grant not in deployment.state.policies.get(resource, []):
            fix = shown(grants.change(deployment, "add", resource, grant))
            yield what.format(name=deployment.short(SERVICE)), fix
    if deployment.options.sweep_minutes != "0":
        yield from _faults(deployment, deployment.full(NAME))


def _faults(deployment: Deployment, full: str) -> Iterator[tuple[str, str]]:
    found, url = _found(deployment), deployment.url(SERVICE)
    if found is None:
        yield f"the schedule {full} is missing: what is lost is not found", UP
    elif found.state == "PAUSED":
        yield f"paused schedule: {full} begins no sweep", shown(_command(deployment, "resume"))
    elif found.state != "ENABLED":
        yield f"the schedule {full} is {found.state}", UP
    elif (found.url, found.audience, found.account) != (f"{url}/", url, deployment.email("clock")):
        yield f"wrong URL, audience or account: {full} makes calls that {deployment.short(SERVICE)} refuses", UP
    elif found.code:
        logs = shown(["run", "services", "logs", "read", deployment.short(SERVICE), deployment.in_region])
        what = f"the last call of the schedule {full} failed (code {found.code:g}, {found.called})"
        yield what, f"{shown(_command(deployment, 'run'))}; why it fails: {logs}"
