"""Running many files again: choose and price them, then begin their runs at a pace.

Every file's claim keeps the id of the request: the same request, repeated after a crash, goes on and begins no run twice.
"""

import json
import secrets
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Literal
from urllib.parse import unquote

from shared import events, index, ledger, naming, uploaded
from shared.cloud.protocols import Cloud
from shared.errors import Transient
from shared.index import PROCESSING, RERUN, Entry
from shared.manifest import Claim
from shared.model import File, Json, Run, file_id
from shared.operations import listing, parallel, prices
from shared.operations.listing import Query
from shared.operations.prices import Use
from shared.operations.rerun import rerun
from shared.plan import Plan

PlanOf = Literal["today", "same"]
#: `ready`: it can run again. `processing`: not before its last run has ended. The others cannot: `replaced` by a newer upload,
#: `gone`, `ignored` as no file, `unknown`.
State = Literal["ready", "processing", "replaced", "gone", "ignored", "unknown"]
#: Runs begun in a second. Each takes about fifteen calls, and writes to one range of names in the results bucket.
PER_SECOND = 20.0
NO_PLAN = Plan()


@dataclass(frozen=True, slots=True)
class Chosen:
    """A file of a request: its job, how that ended, and the plan if it can run again."""

    name: str
    job_id: str
    state: State
    verdict: str = ""
    reason: str = ""
    file: File | None = None
    plan: Plan = NO_PLAN

    @property
    def has_original(self) -> bool:
        """Whether it can run again, at once or when its last run has ended."""
        return self.state in ("ready", "processing")

    @property
    def use(self) -> Use:
        """The least use of its run; none where it cannot run."""
        return prices.OF_RERUN + prices.of_plan(self.plan) if self.state == "ready" else Use()

    def to_json(self) -> Json:
        shown = {
            "object": self.name,
            "job_id": self.job_id,
            "state": self.state,
            "verdict": self.verdict,
            "reason": self.reason,
        }
        return shown | {"dollars": round(self.use.dollars, 9)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome for one file: its run was `begun` or `resumed`; or an earlier run is still in work; or an outage."""

    name: str
    job_id: str
    run: int
    request: str
    state: Literal["begun", "resumed", "processing", "unavailable"]
    message: str = ""
    error: Transient | None = None

    def to_json(self) -> Json:
        run = {"object": self.name, "job_id": self.job_id, "run": self.run, "request": self.request}
        return run | {"state": self.state, "message": self.message}


def new_request() -> str:
    """An id for a request: the time, and four random bytes."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


def choose(names: Sequence[str], query: Query, plan: PlanOf, cloud: Cloud, request: str = "") -> Iterator[Chosen]:
    """The newest generation of each of these objects; without names, the jobs of the query, each by its newest run.

    With a `request` that was begun before, the runs that it claimed and that have not ended come along.
    """
    if names:
        return _with_left(parallel.each(lambda name: _choose(_Wanted(name), plan, cloud), names), request, cloud)
    return of_jobs(listing.jobs(query, cloud), plan, cloud, request)


def of_jobs(jobs: Iterable[Entry], plan: PlanOf, cloud: Cloud, request: str = "") -> Iterator[Chosen]:
    """These jobs in their order, each with its plan if its upload is still the newest of its name.

    The runs that a `request` left come first, as in `choose`.
    """
    return _with_left(parallel.each(lambda job: _choose(_Wanted.of(job), plan, cloud), jobs), request, cloud)


def _with_left(chosen: Iterable[Chosen], request: str, cloud: Cloud) -> Iterator[Chosen]:
    """The runs that the request left, then the others, each file once."""
    done = set()
    for one in chain(_left_of(request, cloud) if request else (), chosen):
        file_key = one.name, one.job_id.partition("-r")[0]
        if file_key not in done:
            done.add(file_key)
            yield one


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An object that is asked for; with its generation if a certain job of it is."""

    name: str
    job_id: str = ""
    generation: int = 0
    verdict: str = ""
    reason: str = ""

    @classmethod
    def of(cls, job: Entry) -> "_Wanted":
        return cls(job.name, job.job_id, job.generation, job.verdict, job.reason)


def _choose(wanted: _Wanted, plan: PlanOf, cloud: Cloud) -> Chosen:
    live = cloud.uploads.find(wanted.name) if naming.is_possible(wanted.name) else None
    if live is None or (wanted.generation and live.generation != wanted.generation):
        return _lost(wanted, "replaced" if live else "gone", cloud)
    file = uploaded.live(live, cloud)
    if events.why_ignored(file):
        return Chosen(wanted.name, Run(file).job_id, "ignored")
    last = wanted if wanted.generation else _Wanted.of(index.newest(cloud.results, Run(file)))
    state: State = "processing" if last.verdict == PROCESSING else "ready"
    return Chosen(wanted.name, last.job_id, state, last.verdict, last.reason, file, _plan(file, plan, cloud))


def _lost(wanted: _Wanted, state: State, cloud: Cloud) -> Chosen:
    """A file that cannot run again; `unknown` for a name of which no job is found either."""
    if wanted.generation:
        return Chosen(wanted.name, wanted.job_id, state, wanted.verdict, wanted.reason)
    identity = file_id(cloud.settings.uploads_bucket, wanted.name)
    last = max(ledger.history(cloud.results, identity), key=lambda one: one.run.file.generation, default=None)
    return Chosen(wanted.name, last.run.job_id if last else "", state if last else "unknown")


def _plan(file: File, plan: PlanOf, cloud: Cloud) -> Plan:
    """Today's plan, or the `same` as in the last run; before any run has one, that is today's too."""
    if plan == "same":
        first = Run(file)
        claims: list[Claim] = index.claims(cloud.results, first)
        last = claims[-1] if claims else ledger.find(cloud.results, ledger.job_name(first))
        if last:
            return last.plan
    return cloud.routes.plan(file)


def _left_of(request: str, cloud: Cloud) -> Iterator[Chosen]:
    """The runs that this request claimed and that have not ended: a crash may have come before they were queued."""
    claims = parallel.each(cloud.results.read, _claims_of(request, cloud))
    for claim in (Claim(json.loads(body)) for body in claims if body is not None):
        if not index.has_entry(cloud.results, claim.run):
            file = claim.run.file
            yield Chosen(file.name, claim.run.job_id, "ready", PROCESSING, "", file, claim.plan)


def _claims_of(request: str, cloud: Cloud) -> Iterator[str]:
    """The names of the claims of this request: one list call for a thousand claims."""
    start = folder = index.folder(RERUN)
    while found := cloud.results.page(folder, start, listing.MAX_PAGE):
        yield from (name for name, metadata in found.items() if unquote(metadata.get("request", "")) == request)
        start = f"{max(found)}!"  # sorts directly behind the last


def begin(
    chosen: Iterable[Chosen],
    request: str,
    cloud: Cloud,
    *,
    fresh: bool = False,
    per_second: float = PER_SECOND,
    outcomes: list[Outcome] | None = None,
) -> Generator[Outcome, None, None]:
    """Begin the next run of each file that has its original, at most so many in a second.

    An outage costs one file its run, not the others: its outcome is `unavailable`, and the same request goes on with it. `outcomes`
    receives each outcome as it comes, also those of calls that are under way when the iterator is closed or interrupted.
    """
    kept = [] if outcomes is None else outcomes

    def act(one: Chosen) -> Outcome:
        kept.append(outcome := _begin(one, request, cloud, fresh))
        return outcome

    return parallel.each(act, _paced([one for one in chosen if one.has_original], per_second))


def _begin(chosen: Chosen, request: str, cloud: Cloud, fresh: bool) -> Outcome:
    assert chosen.file is not None
    try:
        answer = rerun(Run(chosen.file), chosen.plan, request, cloud, fresh=fresh)
    except Transient as error:
        return Outcome(chosen.name, chosen.job_id, 0, request, "unavailable", error.message, error)
    run, message = answer.run, _in_work(answer.run) if answer.state == "processing" else ""
    return Outcome(chosen.name, run.job_id, run.number, request, answer.state, message)


def _in_work(run: Run) -> str:
    """The message for a run that has not ended: of a lost first run, `rerun` is no remedy."""
    again = f"run {run.number} was queued again" if run.number else "./sluice show has the remedy"
    return f"the file is still in work; {again} in case its task was lost"


def _paced(chosen: Iterable[Chosen], per_second: float) -> Iterator[Chosen]:
    due = time.monotonic()
    for one in chosen:
        time.sleep(max(0.0, due - time.monotonic()))
        due = max(due, time.monotonic()) + 1 / per_second
        yield one
