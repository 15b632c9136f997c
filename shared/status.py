"""The state of a file, read from both buckets and the queues and stored nowhere; the receipt that links to it."""

import re
from urllib.parse import quote

from shared import events, ledger, log, naming, progress, uploaded
from shared.cloud.protocols import Cloud, Stored
from shared.errors import BadRequest, NotFound
from shared.model import File, Json, Run, file_id
from shared.progress import Progress
from shared.setting_values import MAX_DIGITS

#: Older generations on one page, and generations in which an output is looked for.
MAX_GENERATIONS = 10

_ID = re.compile(r"([a-z2-7]{26})(?:-([1-9][0-9]{0,17})(?:-r([0-9]{1,9}))?)?")


def of_object(name: str, cloud: Cloud) -> Json:
    """The state of an object: the newest run of its newest generation. `older` is the token of earlier ones.

    Raises `NotFound` when neither bucket has the name.
    """
    identity = identity_of(name, cloud)
    live = cloud.uploads.find(name)
    generation = live.generation if live else _newest_generation(identity, cloud)
    found = progress.find(identity, generation, cloud)
    if found:
        return _newest(found, cloud)
    if live:
        return _accepted(live, cloud)
    raise NotFound(f"no object {name!r} found: it was never uploaded, or deleted before it had a verdict")


def of_id(identity: str, cloud: Cloud) -> Json:
    """The state of a file id, or of a job id: the newest run of that upload, or with `-r<number>` exactly that run.

    Raises `NotFound` before the first verdict: until then only the object's name leads to the upload.
    """
    file, generation, number = parsed(identity)
    log.bind(file_id=file)
    found = progress.find(file, generation or _newest_generation(file, cloud), cloud, number)
    if not found:
        raise NotFound(f"no step of {identity} has a verdict yet; ask by name: /objects/<name>", "no_verdict_yet")
    return {**progress.describe(found, cloud), "older": ""} if generation else _newest(found, cloud)


def earlier(identity: str, token: str, cloud: Cloud) -> Json:
    """A page of the generations before that of the token, newest first, each by its newest run.

    Raises `BadRequest` for another token.
    """
    if not token.isdecimal() or len(token) > MAX_DIGITS:
        raise BadRequest(f"older is {token[:80]!r}; send the value of `older` in an answer about this file", "bad_token")
    generations = [one for one in ledger.generations(cloud.results, identity) if one < int(token)]
    page = generations[:MAX_GENERATIONS]
    found = [progress.find(identity, generation, cloud) for generation in page]
    jobs = [progress.describe(one, cloud) for one in found if one]
    return {"file_id": identity, "jobs": jobs, "older": str(page[-1]) if len(generations) > len(page) else ""}


def link(path: str, cloud: Cloud) -> str:
    """The signed link that `<object>/<step>/<output>` leads to, or nothing for an object without any verdict.

    It is that of the newest run in which the step succeeded; a generation without one leads to the generation before. Raises
    `NotFound`.
    """
    if path.count("/") < 2:
        return ""
    name, step, output = path.rsplit("/", 2)
    identity = file_id(cloud.settings.uploads_bucket, name)
    generations = ledger.generations(cloud.results, identity)[:MAX_GENERATIONS]
    made = next(filter(None, (progress.outputs(identity, one, step, cloud) for one in generations)), {})
    if generations and output not in made:
        remedy = f"it has {', '.join(made)}" if made else "the step has not succeeded"
        raise NotFound(f"no output {output!r} of step {step!r} of object {name!r} found: {remedy}", "no_output")
    return cloud.results.permit_download(made[output], cloud.settings.url_seconds) if made else ""


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


def identity_of(name: str, cloud: Cloud) -> str:
    if not naming.is_possible(name):
        raise NotFound(f"no object found: {name[:80]!r} cannot be an object's name")
    identity = file_id(cloud.settings.uploads_bucket, name)
    log.bind(object=name, file_id=identity)
    return identity


def parsed(identity: str) -> tuple[str, int, int | None]:
    """File id, generation or 0, and number of the run or None."""
    found = _ID.fullmatch(identity)
    if not found:
        raise NotFound(f"{identity[:80]!r} is neither a file id (26 characters) nor a job id (<file id>-<generation>)")
    return found[1], int(found[2] or 0), int(found[3]) if found[3] else None


def _newest_generation(identity: str, cloud: Cloud) -> int:
    """The newest generation with a plan or manifest, or 0."""
    return max(ledger.generations(cloud.results, identity), default=0)


def _newest(found: Progress, cloud: Cloud) -> Json:
    """The newest run of the newest generation: its outputs have addresses."""
    file = found.run.file
    return {**progress.describe(found, cloud, status_url(cloud, file.name)), "older": _older(file, cloud)}


def _accepted(live: Stored, cloud: Cloud) -> Json:
    """An upload without a manifest so far, or an ignored object, which never gets one."""
    file = uploaded.live(live, cloud)
    if ignored := events.why_ignored(file):
        state = {"state": "skipped", "reason": ignored.reason, "since": live.updated, "steps": []}
        return {**progress.described(Run(file)), **state, "older": _older(file, cloud)}
    planned = Progress(Run(file), cloud.routes.plan(file), since=live.updated)
    return {**progress.describe(planned, cloud), "state": "accepted", "older": _older(file, cloud)}


def _older(file: File, cloud: Cloud) -> str:
    """The token of the generations before this one, empty where the ledger has none."""
    oldest = ledger.oldest_generation(cloud.results, file.file_id)
    return str(file.generation) if oldest is not None and oldest < file.generation else ""
