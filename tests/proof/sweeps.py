"""The sweep of one run: what has no index entry is queued again."""

from shared import index, ledger, pipeline
from shared.manifest import PlannedRun
from shared.model import Run
from shared.plan import Plan
from tests.proof.effects import EffectCloud


def sweep(run: Run, number: int, today: Plan, cloud: EffectCloud) -> None:
    """Queue a run again, under the plan of its claim or of `job.json`, else under today's."""
    suffix = sweep_number(number)
    if run.number:
        claim = index.find_claim(cloud.results, run.file.file_id, run.file.generation, run.number)
        assert claim
        pipeline.enlist(run, claim.plan, cloud, suffix, claim.adopted)
        return
    found = ledger.find(cloud.results, ledger.job_name(run))
    if isinstance(found, PlannedRun) or found:
        pipeline.settle(found, cloud, suffix)
    else:
        pipeline.enlist(run, today, cloud, suffix)


def sweep_number(number: int) -> int:
    """The number under which a sweep queues: a function of its own, for a mutant."""
    return number
