"""The state of a file, read from both buckets and the queues and stored nowhere; the receipt that links to it."""

import re
from collections.abc import Mapping
from itertools import groupby
from urllib.parse import quote

from shared import attempts, events, ledger, log, naming
from shared.cloud.protocols import Cloud, Queued, Stored
from shared.errors import NotFound, Transient
from shared.ledger import Found
from shared.manifest import Job, Manifest
from shared.model import File, Json, Place, Run, file_id
from shared.plan import Plan, Task

_ID = re.compile(r"([a-z2-7]{26})(?:-([0-9]{1,20}))?")


def of_object(name: str, cloud: Cloud) -> Json:
    """The state of an object: `accepted`, `processing` or its job's verdict; older generations follow the newest.

    Raises `NotFound` when neither bucket has the name.
    """
    if not naming.is_possible(name):
        raise NotFound(f"no object found: {name[:80]!r} cannot be an object's name")
    identity = file_id(cloud.settings.uploads_bucket, name)
    log.bind(object=name, file_id=identity)
    live = cloud.uploads.find(name)
    jobs = _jobs(identity, "", cloud)
    if live and (not jobs or live.generation > int(jobs[0]["generation"])):
        jobs.insert(0, _accepted(live, cloud))
    if not jobs:
        raise NotFound(f"no object {name!r} found: it was never uploaded, or deleted before it had a verdict")
    return {"object": name, "file_id": identity, **jobs[0], "older": jobs[1:]}


def of_id(identity: str, cloud: Cloud) -> Json:
    """The state of a file id or a job id, by its manifests.

    Raises `NotFound` before the first verdict: until then only the object's name leads to the upload.
    """
    found = _ID.fullmatch(identity)
    if not found:
        raise NotFound(f"{identity[:80]!r} is neither a file id (26 characters) nor a job id (<file id>-<generation>)")
    log.bind(file_id=found[1])
    jobs = _jobs(found[1], found[2] or "", cloud)
    if not jobs:
        raise NotFound(f"no step of {identity} has a verdict yet; ask by name: /objects/<name>", "no_verdict_yet")
    return {"file_id": found[1], **jobs[0], "older": jobs[1:]}


def receipt(file: File, cloud: Cloud) -> Json:
    """The Upload Service's answer for a stored file."""
    return {
        "object": file.name,
        "file_id": file.file_id,
        "job_id": Run(file).job_id,
        "generation": str(file.generation),
        "size": file.size,
        "content_type": file.content_type,
        "crc32c": file.crc32c,
        "status_url": status_url(cloud, file.name),
    }


def status_url(cloud: Cloud, name: str) -> str:
    """The address of this object at the status service."""
    return f"{cloud.settings.status_url}/objects/{quote(name, safe='/')}"


def _jobs(identity: str, generation: str, cloud: Cloud) -> list[Json]:
    """One entry for each run with a manifest or a plan, newest first."""
    found = sorted(ledger.history(cloud.results, identity, generation), key=lambda one: _age(one.run), reverse=True)
    return [_job(list(run), cloud) for _age_, run in groupby(found, key=lambda one: _age(one.run))]


def _age(run: Run) -> tuple[int, int]:
    return run.file.generation, run.number


def _accepted(live: Stored, cloud: Cloud) -> Json:
    """An upload without a manifest so far, or an ignored object, which never gets one."""
    bucket = cloud.settings.uploads_bucket
    file = File(bucket, live.name, live.generation, live.size, live.content_type, live.crc32c, live.metadata)
    run, plan = Run(file), cloud.routes.plan(file)
    if ignored := events.why_ignored(file):
        return _described(run) | {"state": "skipped", "reason": ignored.reason, "since": live.updated, "steps": []}
    steps = _steps(run, plan, {}, cloud)
    return _described(run) | {"state": "accepted", "since": live.updated, "steps": steps, "ignored": list(plan.ignored)}


def _job(found: list[Found], cloud: Cloud) -> Json:
    run, plan = found[0].run, found[0].plan
    manifests = {one.place: one for one in found if isinstance(one, Manifest)}
    steps, shown = _steps(run, plan, manifests, cloud), _described(run) | {"ignored": list(plan.ignored)}
    if len(manifests) < len(plan.places):
        since = max((one.time for one in manifests.values()), default="")
        return shown | {"state": "processing", "since": since, "steps": steps}
    job = Job(list(manifests.values()))
    why = {key: job.manifests[0].body[key] for key in ("reason", "message") if not plan.steps}
    return shown | why | {"state": job.verdict, "since": job.time, "steps": steps}


def _described(run: Run) -> Json:
    file = run.file
    return {
        "job_id": run.job_id,
        "run": run.number,
        "object": file.name,
        "generation": str(file.generation),
        "size": file.size,
        "content_type": file.content_type,
        "crc32c": file.crc32c,
        "metadata": dict(file.metadata),
    }


def _steps(run: Run, plan: Plan, manifests: Mapping[Place, Manifest], cloud: Cloud) -> list[Json]:
    """Each step of the plan in its order: done, or the state of its task."""
    done = {step["step"]: _done(step, one, cloud) for one in manifests.values() for step in one.steps}
    tasks = {place: _pending(Task(run, plan, place), manifests, cloud) for place in plan.places if place not in manifests}
    return [
        {"step": step.name, "recipe_id": step.recipe.recipe_id, "queue": step.queue, "after": list(step.after)}
        | (done.get(step.name) or tasks[plan.place_of[step.name]].get(step.name, {}))
        for step in plan.steps
    ]


def _done(step: Json, manifest: Manifest, cloud: Cloud) -> Json:
    outputs = [output | {"download_url": _download(output["object"], cloud)} for output in step.get("outputs", ())]
    shown = ("verdict", "reason", "message", "attempt", "facts", "times", "cost")
    return {"state": "done", "time": manifest.time, **{key: step[key] for key in shown if key in step}, "outputs": outputs}


def _pending(task: Task, manifests: Mapping[Place, Manifest], cloud: Cloud) -> dict[str, Json]:
    """The state of each step of a task without a manifest: `waiting`, `queued` or `running`."""
    state: Json = {"state": "waiting"}
    errors: Mapping[str, Json] = {}
    if all(place in manifests for place in task.plan.before(task.place)):
        queued = _queued(task, cloud)
        if queued:
            state = {
                "state": "running" if queued.is_running else "queued",
                "deliveries": queued.deliveries,
                "next": queued.next,
            }
        if queued and queued.deliveries:
            errors = attempts.last_errors(cloud.results, task)
    return {step.name: state | ({"error": _error(errors[step.name])} if step.name in errors else {}) for step in task.steps}


def _queued(task: Task, cloud: Cloud) -> Queued | None:
    try:
        return cloud.queue.find(task)
    except Transient as error:  # the rest of the answer is still worth having
        log.warning("the queue cannot be asked", error=error.message)
        return None


def _error(note: Json) -> Json:
    return {key: note[key] for key in ("message", "attempt", "delivery", "time")}


def _download(name: str, cloud: Cloud) -> str:
    return cloud.results.permit_download(name, cloud.settings.url_seconds)
