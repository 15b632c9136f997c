"""The page of failed files: by reason, with the remedy, and running all files of a reason again."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from flask import Response

from shared.cloud.protocols import Cloud
from shared.console import rendering
from shared.console.visit import Visit
from shared.index import Entry, State
from shared.operations import bulk, listing
from shared.operations.bulk import Chosen
from shared.operations.listing import Query

VERDICTS: tuple[State, ...] = ("failed", "dead", "partial")
#: Newest jobs that are counted: a thousand of each verdict are a list call.
MAX_JOBS = 10_000
#: They are counted again at this age for each thousand: an open page costs four list calls in that time, however many there are.
SECONDS_PER_THOUSAND = 5.0
MAX_EXAMPLES = 5
#: Newest files of a reason whose originals and plans are looked up before they run again.
MAX_LOOKED_AT = 50


@dataclass(slots=True)
class Group:
    """The jobs of one reason: how many, of which verdicts, and the newest."""

    reason: str
    count: int = 0
    verdicts: set[str] = field(default_factory=set)
    newest: list[Entry] = field(default_factory=list)

    def add(self, job: Entry) -> None:
        self.count += 1
        self.verdicts.add(job.verdict)
        if len(self.newest) < MAX_LOOKED_AT:
            self.newest.append(job)


@dataclass(frozen=True, slots=True)
class Looked:
    """The newest files of a reason: those that can run again, and the rest; `dollars` is the least price of one run."""

    ready: list[Chosen]
    others: list[Chosen]

    @property
    def count(self) -> int:
        return len(self.ready) + len(self.others)

    @property
    def dollars(self) -> float:
        return sum(one.use.dollars for one in self.ready) / self.count if self.count else 0


def page(visit: Visit) -> Response:
    """The groups; with `?reason=`, the files of one reason and the ways to run them again."""
    reason = visit.request.args.get("reason")
    if reason is None:
        return rendering.page(visit.request, visit.viewer, "failed.html", **_shown(visit))
    group = _groups(visit).get(reason) or Group(reason)
    looked = visit.recent.get(("looked", reason), lambda: _looked(group.newest, visit.cloud))
    shown: dict[str, Any] = {"group": group, "looked": looked, "request_id": bulk.new_request(), "most": MAX_JOBS}
    return rendering.page(visit.request, visit.viewer, "failed_group.html", **shown)


def reasons(visit: Visit) -> Response:
    """The groups alone, for pages that are open."""
    return rendering.part(visit.request, "failed_groups.html", **_shown(visit))


def query(reason: str) -> Query:
    """The failed files of this reason."""
    return Query(verdicts=VERDICTS, reasons=(reason,))


def grouped(jobs: Iterable[Entry]) -> dict[str, Group]:
    """The jobs by reason, the most frequent first. A job with several reasons counts for each. Pure."""
    found: dict[str, Group] = {}
    for job in jobs:
        for reason in dict.fromkeys(job.reason.split(",")):
            found.setdefault(reason, Group(reason)).add(job)
    return dict(sorted(found.items(), key=lambda item: -item[1].count))


def _shown(visit: Visit) -> dict[str, Any]:
    return {"groups": list(_groups(visit).values()), "examples": MAX_EXAMPLES, "most": MAX_JOBS}


def _groups(visit: Visit) -> dict[str, Group]:
    def count() -> dict[str, Group]:
        return grouped(islice(listing.jobs(Query(verdicts=VERDICTS), visit.cloud), MAX_JOBS))

    return visit.recent.get("failed", count, _seconds)


def _seconds(groups: dict[str, Group]) -> float:
    return SECONDS_PER_THOUSAND * max(1.0, sum(group.count for group in groups.values()) / 1000)


def _looked(jobs: Iterable[Entry], cloud: Cloud) -> Looked:
    chosen = list(bulk.of_jobs(jobs, "today", cloud))
    return Looked([one for one in chosen if one.state == "ready"], [one for one in chosen if one.state != "ready"])
