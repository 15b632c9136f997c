"""Running a file again: claim the next run, and queue it. Safe to repeat, and to cut off at any line."""

from dataclasses import dataclass
from typing import Literal

from shared import clock, index, ledger, manifest, pipeline
from shared.cloud.protocols import Bucket, Cloud
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
    whose recipes succeeded in a run before are adopted, unless `fresh`.
    """
    claims = index.claims(cloud.results, first)
    mine = next((claim for claim in claims if claim.request == request), None)
    if mine:
        if not index.has_entry(
            cloud.results, mine.run
        ):  # else all was told; a queue that forgot its tasks would run them again
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
    """The recipes that succeeded in any run of this generation: recipe id → object name of the latest manifest."""
    file = first.file
    found = ledger.history(results, file.file_id, str(file.generation))
    manifests = sorted((one for one in found if isinstance(one, Manifest)), key=lambda one: one.run.number)
    return {
        step["recipe_id"]: ledger.manifest_name(one.run, one.plan, one.place)
        for one in manifests
        for step in one.steps
        if step["verdict"] == "succeeded"
    }


def _enlist(claim: Claim, cloud: Cloud) -> None:
    pipeline.enlist(claim.run, claim.plan, cloud, adopted=claim.adopted)
