"""Running a file again: claim the next run, and queue it. Safe to repeat, and to cut off at any line."""

from dataclasses import dataclass
from typing import Literal

from shared import clock, index, ledger, manifest, pipeline, processors
from shared.cloud.protocols import Bucket, Cloud
from shared.errors import BadConfiguration
from shared.manifest import Claim, Manifest
from shared.model import Run
from shared.plan import Plan


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of a request: this run was begun, or gone on with; or an earlier one is still in work."""

    run: Run
    state: Literal["begun", "resumed", "processing"]


def rerun(first: Run, plan: Plan, request: str, cloud: Cloud, *, fresh: bool = False) -> Answer:
    """Begin the next run of a file under this plan, or go on with the run that the same request began before.

    A run begins only after the last one has ended; until then the last one is queued again, and the answer is `processing`. Steps
    whose recipes succeeded when they last ran are adopted, unless `fresh`.
    """
    claims = index.claims(cloud.results, first)
    mine = next((claim for claim in claims if claim.request == request), None)
    if mine:
        if not index.has_entry(cloud.results, mine.run):  # a queue forgets the names of ended tasks, and would run them again
            _enlist(mine, cloud)
        return Answer(mine.run, "resumed")
    last = claims[-1].run if claims else first
    if not index.has_entry(cloud.results, last):
        if claims:
            _enlist(claims[-1], cloud)
        return Answer(last, "processing")
    run = Run(first.file, last.number + 1)
    adopted = {} if fresh else adoptions(first, cloud.results)
    claim = index.claim(cloud.results, manifest.of_claim(run, plan, adopted, request, clock.now()))
    _enlist(claim, cloud)
    return Answer(claim.run, "begun" if claim.request == request else "processing")


def adoptions(first: Run, results: Bucket) -> dict[str, str]:
    """The recipes whose newest verdict in this generation is `succeeded`: recipe id → object name of its manifest.

    A step that did not succeed is tried again, also where an older run succeeded. A run that adopts a recipe gives no verdict of
    its own on it: cancelled, it leaves the older success as it is. Of some processors a success counts for its run only: a scan
    for malware was done with the signatures of its day.
    """
    file = first.file
    found = ledger.history(results, file.file_id, str(file.generation))
    adopted: dict[str, str] = {}
    for one in sorted((one for one in found if isinstance(one, Manifest)), key=lambda one: one.run.number):
        for step in one.steps:
            if step["verdict"] == "succeeded" and _is_kept(one, step["step"]):
                adopted[step["recipe_id"]] = ledger.manifest_name(one.run, one.plan, one.place)
            elif step["recipe_id"] not in one.adopted:
                adopted.pop(step["recipe_id"], None)
    return adopted


def _is_kept(found: Manifest, step: str) -> bool:
    planned = found.plan.by_name.get(step)
    try:
        return planned is None or processors.find(planned.recipe.processor).is_kept
    except BadConfiguration:  # a processor of another release
        return True


def _enlist(claim: Claim, cloud: Cloud) -> None:
    pipeline.enlist(claim.run, claim.plan, cloud, adopted=claim.adopted)
