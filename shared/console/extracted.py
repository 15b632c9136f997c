"""The page of the files that a job extracted from an archive, with their states."""

from flask import Response

from shared import members
from shared.console import rendering
from shared.console.visit import Visit


def page(visit: Visit) -> Response:
    """One page of them; the query has the token of another. Raises `NotFound` and `BadRequest`."""
    job_id, token = visit.rest, visit.request.args.get("from", "")
    found = visit.recent.get(("members", job_id, token), lambda: members.page("jobs", job_id, token, visit.cloud))
    return rendering.page(visit.request, visit.viewer, "members.html", **found)
