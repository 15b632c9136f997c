"""The list of files: newest first, ended and in work, filtered, page by page."""

from typing import Any
from urllib.parse import urlencode

from flask import Response

from shared.console import preview, rendering, uploads
from shared.console.visit import Visit
from shared.errors import BadRequest
from shared.index import PROCESSING, VERDICTS
from shared.operations import listing
from shared.operations.listing import Page, Query

STATES = (PROCESSING, *VERDICTS)
PAGE_ROWS = 50
MAX_ROWS = 1000
#: Of each queue: one call. Files that wait behind more tasks are in the list when they have ended.
MAX_TASKS = 1000
#: Wildcards of a type: the time to compare a long one grows with their number as its exponent.
MAX_WILDCARDS = 2


def page(visit: Visit) -> Response:
    """The whole page."""
    shown = _shown(visit)
    return rendering.page(visit.request, visit.viewer, "files.html", upload=uploads.offer(visit.cloud), **shown)


def rows(visit: Visit) -> Response:
    """Its rows alone, for pages that are open."""
    return rendering.part(visit.request, "rows.html", **_shown(visit))


def listed(visit: Visit, query: Query, limit: int, after: str = "") -> Page:
    """A page of the list, read once for all viewers."""
    return visit.recent.get((query, limit, after), lambda: listing.page(query, visit.cloud, limit, after, max_tasks=MAX_TASKS))


def _shown(visit: Visit) -> dict[str, Any]:
    """The wanted rows, the filter that was sent, and the addresses of this list's rows and of its next page."""
    sent = {name: visit.request.args.get(name, "") for name in ("state", "type", "prefix", "after", "limit")}
    query, limit = _query(sent), _limit(sent["limit"])
    found = listed(visit, query, limit, sent["after"])
    kept = {name: value for name, value in sent.items() if value}
    following = urlencode({**kept, "after": found.next}) if found.next else ""
    pictured = preview.pictured(found.jobs, visit.cloud)
    return {
        "jobs": found.jobs,
        "pictured": pictured,
        "sent": sent,
        "states": STATES,
        "query": urlencode(kept),
        "following": following,
    }


def _query(sent: dict[str, str]) -> Query:
    state = sent["state"]
    if state and state not in STATES:
        raise BadRequest(f"state is {state[:80]!r}; choose one of {', '.join(STATES)}")
    if sent["type"].count("*") > MAX_WILDCARDS:
        raise BadRequest(f"type is {sent['type'][:80]!r}; write a type or a range of types, such as image/*")
    return Query(verdicts=(state,) if state else (), prefix=sent["prefix"], content_type=sent["type"])


def _limit(text: str) -> int:
    if not text:
        return PAGE_ROWS
    if not text.isdecimal() or len(text) > 4 or not 1 <= int(text) <= MAX_ROWS:
        raise BadRequest(f"limit is {text[:80]!r}; send a whole number from 1 to {MAX_ROWS}")
    return int(text)
