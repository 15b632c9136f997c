"""States of the files that a page has uploaded and follows: all by one list, which all viewers share."""

import re
from collections.abc import Container, Sequence

from flask import Response

from shared import web
from shared.console import files, preview, reasons, words
from shared.console.visit import Visit
from shared.errors import BadRequest
from shared.index import PROCESSING, Entry
from shared.model import Json
from shared.operations.listing import Query

#: Most files of one request: their keys fit into a request line of 4 kB.
MAX_FILES = 100
#: Sizes of the list: the first one that reaches back to the oldest followed upload.
WINDOWS = (files.PAGE_ROWS, 4 * files.PAGE_ROWS, files.MAX_ROWS)
#: The random characters with which the name of an uploaded object begins.
_KEYS = re.compile(r"[a-z2-7]{26}(,[a-z2-7]{26})*")
_KEY_CHARACTERS = 26


def states(visit: Visit) -> Response:
    """`GET /follow?since=MILLISECONDS&keys=KEY,KEY…`: the states of those files that have reached the list, by key."""
    keys, since = visit.request.args.get("keys", ""), visit.request.args.get("since", "")
    if not _KEYS.fullmatch(keys) or keys.count(",") >= MAX_FILES:
        raise BadRequest(f"keys: send 1 to {MAX_FILES} names' first {_KEY_CHARACTERS} characters, between commas")
    if not since.isdecimal() or len(since) > 15:
        raise BadRequest("since: send the time of the oldest upload in milliseconds since 1970")
    found = {job.name[:_KEY_CHARACTERS]: job for job in _newest(visit, int(since) * 1000)}
    asked = {key: found[key] for key in keys.split(",") if key in found}
    pictured = preview.pictured(asked.values(), visit.cloud)
    return web.conditional(visit.request, {key: _state(job, pictured) for key, job in asked.items()})


def _newest(visit: Visit, since: int) -> Sequence[Entry]:
    """The newest files, at least back to this generation, at most `MAX_ROWS`."""
    jobs: Sequence[Entry] = ()
    for limit in WINDOWS:
        jobs = files.listed(visit, Query(), limit).jobs
        if len(jobs) < limit or jobs[-1].generation < since:
            break
    return jobs


def _state(job: Entry, pictured: Container[str]) -> Json:
    word, colour = words.STATES[job.verdict]
    reason = reasons.titles(job.reason, word)
    picture = f"/preview/{job.job_id}" if job.job_id in pictured else ""
    return {"word": word, "colour": colour, "reason": reason, "preview": picture, "ended": job.verdict != PROCESSING}
