"""The state of a file, read from both buckets and stored nowhere else; and the receipt that links to it."""

import re
from itertools import groupby
from typing import Any
from urllib.parse import quote

from shared import events, ledger, naming
from shared.cloud.protocols import Cloud, Stored
from shared.errors import NotFound
from shared.model import File, Job, Json, Manifest, file_id

_ID = re.compile(r"([a-z2-7]{26})(?:-([0-9]{1,20}))?")


def of_object(name: str, cloud: Cloud) -> Json:
    """The state of an object: `accepted`, `processing` or its job's verdict; older generations follow the newest.

    Raises `NotFound` when neither bucket has the name.
    """
    if not naming.is_possible(name):
        raise NotFound(f"no object found: {name[:80]!r} cannot be an object's name")
    live = cloud.uploads.find(name)
    identity = file_id(cloud.settings.uploads_bucket, name)
    jobs = _jobs(identity, "", cloud)
    if live and (not jobs or live.generation > int(jobs[0]["generation"])):
        jobs.insert(0, _accepted(live, identity, cloud))
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
    jobs = _jobs(found[1], found[2] or "", cloud)
    if not jobs:
        raise NotFound(f"no step of {identity} has a verdict yet; ask by name: /objects/<name>", "no_verdict_yet")
    return {"file_id": found[1], **jobs[0], "older": jobs[1:]}


def receipt(file: File, cloud: Cloud) -> Json:
    """The Upload Service's answer for a stored file."""
    return {
        "object": file.name,
        "file_id": file.file_id,
        "job_id": file.job_id,
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
    """One entry for each generation with a manifest, newest first."""
    manifests = sorted(ledger.history(cloud.results, identity, generation), key=_generation, reverse=True)
    return [_job(list(steps), cloud) for _generation_, steps in groupby(manifests, key=_generation)]


def _generation(manifest: Manifest) -> int:
    return manifest.file.generation


def _accepted(live: Stored, identity: str, cloud: Cloud) -> Json:
    """An upload without a verdict so far, or an ignored object, which never gets one."""
    file = File(cloud.settings.uploads_bucket, live.name, live.generation, live.size, live.content_type, live.crc32c)
    ignored = events.why_ignored(file)
    return {
        **({"state": "skipped", "reason": ignored.reason} if ignored else {"state": "accepted"}),
        "job_id": f"{identity}-{live.generation}",
        "generation": str(live.generation),
        "size": live.size,
        "content_type": live.content_type,
        "crc32c": live.crc32c,
        "since": live.updated,
        "steps": [],
    }


def _job(manifests: list[Manifest], cloud: Cloud) -> Json:
    job = Job(manifests[0].file, tuple(manifests))
    waiting = sorted({sibling for step in manifests for sibling in step.siblings} - {step.recipe_id for step in manifests})
    return {
        "state": "processing" if waiting else job.verdict,
        "job_id": job.file.job_id,
        "object": job.file.name,
        "generation": str(job.file.generation),
        "size": job.file.size,
        "content_type": job.file.content_type,
        "crc32c": job.file.crc32c,
        "since": job.time,
        "steps": [_step(step, cloud) for step in sorted(manifests, key=lambda step: step.recipe_id)],
        "waiting": waiting,
    }


def _step(manifest: Manifest, cloud: Cloud) -> Json:
    whole: dict[str, Any] = manifest.to_json()
    outputs = [output | {"download_url": _download(output["object"], cloud)} for output in whole["outputs"]]
    shown = ("step", "task_id", "verdict", "reason", "message", "time", "attempt")
    return {key: whole[key] for key in shown} | {"outputs": outputs}


def _download(name: str, cloud: Cloud) -> str:
    return cloud.results.permit_download(name, cloud.settings.url_seconds)
