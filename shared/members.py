"""The files that a job extracted from an archive, with their states: a page at a time, stored nowhere."""

from collections.abc import Mapping

from shared import extraction, status
from shared.cloud.protocols import Cloud
from shared.errors import BadRequest, NotFound
from shared.model import Json
from shared.operations import parallel

#: Members on one page: each costs a few reads.
MAX_MEMBERS = 50
MAX_TOKEN_CHARACTERS = 1024


def page(kind: str, asked: str, token: str, cloud: Cloud) -> Json:
    """The extracted files of a job, or of the newest run of an object, in the order of their names.

    `next` is the token of the next page, empty on the last one. Raises `NotFound`, and `BadRequest` for another token.
    """
    job_id = _job_id(kind, asked, cloud)
    prefix = extraction.folder_of(job_id)
    if len(token) > MAX_TOKEN_CHARACTERS:
        raise BadRequest("members is no token; send the value of `next` in an answer about this job", "bad_token")
    names = list(cloud.uploads.page(prefix, prefix + token, MAX_MEMBERS + 1))
    found = parallel.each(lambda name: _described(name, prefix, cloud), names[:MAX_MEMBERS])
    following = names[MAX_MEMBERS].removeprefix(prefix) if len(names) > MAX_MEMBERS else ""
    return {"job_id": job_id, "members": list(found), "next": following}


def _job_id(kind: str, asked: str, cloud: Cloud) -> str:
    if kind == "objects":
        return str(status.of_object(asked, cloud)["job_id"])
    if not status.parsed(asked)[1]:
        raise NotFound(f"{asked[:80]!r} is no job id (<file id>-<generation>); ask for /jobs/<job id>?members")
    return asked


def _described(name: str, prefix: str, cloud: Cloud) -> Json:
    """One file by its newest run; one that was deleted before it had a verdict is `gone`."""
    number, _, _ = name.removeprefix(prefix).partition("/")
    try:
        found: Mapping[str, object] = status.of_object(name, cloud)
    except NotFound:
        found = {"state": "gone"}
    steps = found.get("steps", ())
    reasons = dict.fromkeys(step["reason"] for step in steps if step.get("reason")) if isinstance(steps, list) else {}
    shown = {key: found[key] for key in ("state", "job_id", "size", "content_type") if key in found}
    return {"number": int(number) if number.isdecimal() else 0, "object": name, **shown, "reasons": [*reasons]}
