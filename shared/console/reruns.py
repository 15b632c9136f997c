"""Running files again: one file; all files of a reason, some of them with each request."""

import re
import shlex
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any

from flask import Response
from werkzeug.datastructures import MultiDict

from shared.console import addresses, failed, rendering
from shared.console.visit import Visit
from shared.errors import BadRequest
from shared.index import Entry
from shared.operations import bulk, listing
from shared.operations.bulk import Outcome, PlanOf
from shared.operations.listing import Query
from shared.setting_values import MAX_DIGITS

#: Files of one request: at `bulk.PER_SECOND` they take a few seconds.
PIECE_FILES = 50
#: The button of a form → the plan, and whether every step works again.
HOW: Mapping[str, tuple[PlanOf, bool]] = {"same": ("same", False), "today": ("today", False), "fresh": ("today", True)}
#: Outcomes that are counted, in the order of the page.
COUNTED = ("begun", "resumed", "processing", "lost", "unavailable")

_REQUEST = re.compile(r"[A-Za-z0-9-]{8,64}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence about an action, and its colour (a class of app.css)."""

    text: str
    colour: str


_LOST = "It cannot run again:"
#: The outcome for one file, which the address of its page carries → its sentence.
TOLD: Mapping[str, Sentence] = {
    "begun": Sentence("A new run has begun.", "good"),
    "resumed": Sentence("That request had begun its run before. To begin another one, press the button on this page.", "busy"),
    "processing": Sentence("It is still in work. When it has ended, it can run again.", "busy"),
    "unavailable": Sentence("Google Cloud does not answer at the moment. Nothing was begun; try again.", "bad"),
    "replaced": Sentence(f"{_LOST} a newer upload has taken its name.", "bad"),
    "gone": Sentence(f"{_LOST} the original was deleted. Upload it again.", "bad"),
    "ignored": Sentence(f"{_LOST} the pipeline ignores folder markers and parts of uploads.", "bad"),
    "unknown": Sentence(f"{_LOST} there is no upload of this name.", "bad"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for all files of a reason: its id, the file after which it goes on, and the counts so far."""

    reason: str
    how: str
    request: str
    after: str
    total: int
    counts: Mapping[str, int]

    @property
    def done(self) -> int:
        return sum(self.counts.values())

    @property
    def line(self) -> str:
        """The command that does the rest."""
        plan, fresh = HOW[self.how]
        chosen = f"--verdict {','.join(failed.VERDICTS)} --reason {shlex.quote(self.reason)}"
        return f"./sluice rerun {chosen} --plan {plan}{' --fresh' if fresh else ''} --request {self.request} --yes"


def one(visit: Visit) -> Response:
    """Run one file again, then show its page."""
    form = visit.request.form
    name, (plan, fresh), request = form.get("name", ""), HOW[_how(form)], _request(form)
    (chosen,) = bulk.choose([name], Query(), plan, visit.cloud)
    outcomes = list(bulk.begin([chosen], request, visit.cloud, fresh=fresh))
    visit.recent.forget()
    told = outcomes[0].state if outcomes else chosen.state
    return Response(status=303, headers={"location": addresses.of_file(name, told=told)})


def group(visit: Visit) -> Response:
    """Run the next files of a reason again; the page asks for the rest, by itself or by a button.

    The answer is a page, not a redirect: only an action may lead to the next action. Repeated, it begins no run twice.
    """
    asked = _asked(visit.request.form)
    jobs = list(
        islice(listing.jobs(failed.query(asked.reason), visit.cloud, after=asked.after, first=PIECE_FILES), PIECE_FILES)
    )
    counts = _begin(jobs, asked, visit)
    visit.recent.forget()
    is_cut = bool(counts["unavailable"])
    after = asked.after if is_cut or not jobs else jobs[-1].file_key
    so_far = Asked(asked.reason, asked.how, asked.request, after, asked.total, Counter(asked.counts) + counts)
    shown: dict[str, Any] = {"asked": so_far, "is_cut": is_cut, "is_done": not is_cut and len(jobs) < PIECE_FILES}
    return rendering.page(visit.request, visit.viewer, "rerun.html", counted=COUNTED, **shown)


def _begin(jobs: list[Entry], asked: Asked, visit: Visit) -> Counter[str]:
    """Begin their runs, until a call fails; the counts by outcome."""
    plan, fresh = HOW[asked.how]
    chosen = list(bulk.of_jobs(jobs, plan, visit.cloud))
    outcomes: list[Outcome] = []
    with closing(bulk.begin(chosen, asked.request, visit.cloud, fresh=fresh, outcomes=outcomes)) as begun:
        for outcome in begun:
            if outcome.state == "unavailable":
                break
    lost = sum(not one.has_original for one in chosen)
    return Counter([one.state for one in outcomes]) + Counter(lost=lost)


def _asked(form: MultiDict[str, str]) -> Asked:
    counts = {name: _number(form, name) for name in COUNTED if name != "unavailable"}
    return Asked(form.get("reason", ""), _how(form), _request(form), form.get("after", ""), _number(form, "total"), counts)


def _how(form: MultiDict[str, str]) -> str:
    how = form.get("how", "")
    if how not in HOW:
        raise BadRequest(f"how is {how[:80]!r}; send one of {', '.join(HOW)}")
    return how


def _request(form: MultiDict[str, str]) -> str:
    request = form.get("request", "")
    if not _REQUEST.fullmatch(request):
        raise BadRequest("the id of the request is missing; reload the page, then repeat")
    return request


def _number(form: MultiDict[str, str], name: str) -> int:
    text = form.get(name, "0")
    if not text.isascii() or not text.isdecimal() or len(text) > MAX_DIGITS:
        raise BadRequest(f"{name} is {text[:80]!r}; reload the page, then repeat")
    return int(text)
