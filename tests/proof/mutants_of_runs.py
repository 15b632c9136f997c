"""Versions of re-runs, claims and index entries with one bug each."""

from shared import delivery, index, ledger, pipeline
from shared.operations import healing, rerun
from tests.proof.planting import mutant

_CLAIM = "claim = index.claim("
_OWN = "pipeline.enlist(run, plan, cloud, adopted=adopted)"
_TAKE_CLAIM = '_enlist(claim, cloud)\n    return Answer(claim.run, "begun"'
_ADOPTED = "self.task.adopted.get(step.recipe.recipe_id)"
_BY_NAME = 'next((one for recipe, one in self.task.adopted.items() if recipe.rpartition("-")[0] == step.name), None)'
_NOTICES = "notices = [notice for one in untold"

_CREATE_CLAIM = 'results.create(name, "application/json"'
_OPERATIONS = '__import__("shared.operations.rerun").operations'
_FIRST = '__import__("shared.model").model.Run(self.task.file)'
_DECIDED = f"{_OPERATIONS}.rerun.adoptions({_FIRST}, self.cloud.results).get(step.recipe.recipe_id)"

MUTANTS_OF_RUNS = (
    mutant(
        "claim-overwritten",
        "claims are written without a precondition: of two operators each has a run of the same number",
        (index, "claim", _CREATE_CLAIM, _CREATE_CLAIM.replace("create", "overwrite")),
        shape="two-requests-at-once",
    ),
    mutant(
        "adopted-at-delivery",
        "each delivery decides what it adopts, not the claim: a fresh run adopts too",
        (delivery._Delivery, "_adopted", _ADOPTED, _DECIDED),
        shape="again-fresh",
    ),
    mutant(
        "claim-after-queue",
        "the tasks of a run are queued before its claim stands",
        (rerun, "rerun", _CLAIM, f"{_OWN}\n    {_CLAIM}"),
    ),
    mutant(
        "loser-uses-its-own-plan",
        "an operator that lost the race for a claim queues its own plan",
        (rerun, "rerun", _TAKE_CLAIM, f'{_OWN}\n    return Answer(claim.run, "begun"'),
    ),
    mutant(
        "request-begins-anew",
        "a request that is repeated does not find its claim, and begins another run",
        (rerun, "rerun", "if claim.request == request), None)", "if not claim), None)"),
    ),
    mutant(
        "run-before-the-last-ended",
        "a run begins though the one before it is in work",
        (rerun, "rerun", "if not index.has_entry(cloud.results, last):", "if not last:"),
    ),
    mutant(
        "one-run-for-ever",
        "an operator is refused a second later run though the first has ended",
        (
            rerun,
            "rerun",
            "if not index.has_entry(cloud.results, last):",
            "if claims or not index.has_entry(cloud.results, last):",
        ),
        shape="again-after-a-cancelled-run",
    ),
    mutant(
        "claim-not-gone-on-with",
        "a request that is repeated after a crash leaves its claim unqueued",
        (rerun, "rerun", "_enlist(mine, cloud)", "pass"),
    ),
    mutant(
        "adopted-by-step-name",
        "results are adopted by the name of the step: another recipe takes them too",
        (delivery._Delivery, "_adopted", _ADOPTED, _BY_NAME),
        (delivery._Delivery, "_adopted", "one.recipe_id == step.recipe.recipe_id", "one.step == step.name"),
    ),
    mutant(
        "adopts-failures",
        "a run adopts every step that ended, also those that failed",
        (rerun, "adoptions", 'step["verdict"] == "succeeded"', 'step["verdict"]'),
    ),
    mutant(
        "adopts-an-older-success",
        "a run adopts a step that did not succeed when it last ran",
        (rerun, "adoptions", 'adopted.pop(step["recipe_id"], None)', "pass"),
        shape="again-after-a-cancelled-run",
    ),
    mutant(
        "adopted-and-cancelled-is-lost",
        "a cancelled run takes from later ones what it would have adopted",
        (rerun, "adoptions", 'elif step["recipe_id"] not in one.adopted:', "else:"),
        shape="cancelled-with-adoption",
    ),
    mutant(
        "adoption-is-lost",
        "the tasks that come later do not carry what their run adopts",
        (pipeline, "finish", "sweep, committed.adopted)", "sweep)"),
    ),
    mutant(
        "outputs-of-runs-share",
        "the outputs of two runs share a path: a fresh run finds those that it should correct",
        (ledger, "output_name", 'f"-r{run.number}" if run.number else ""', '""'),
    ),
    mutant(
        "index-without-run",
        "the index entries of all runs of a file share a name",
        (index, "entry_name", "sort_key(run)", "sort_key(Run(run.file))"),
    ),
    mutant(
        "index-before-notice",
        "the index entry stands before the notices are published",
        (pipeline, "_announce", _NOTICES, f"index.write(cloud.results, job) if job else None\n    {_NOTICES}"),
    ),
    mutant(
        "sweep-leaves-claims",
        "a sweep looks at uploads only: a claim that was never queued stays",
        (healing, "claim", "pipeline.enlist(claimed.run, claimed.plan, cloud, sweeps[-1], claimed.adopted)", "False"),
    ),
    mutant(
        "sweep-under-todays-plan",
        "a sweep queues a later run under today's plan",
        (healing, "claim", "enlist(claimed.run, claimed.plan,", "enlist(claimed.run, cloud.routes.plan(claimed.run.file),"),
        shape="again-until-a-sweep",
    ),
    mutant(
        "sweep-adopts-nothing",
        "a sweep queues a later run without what its claim adopts",
        (healing, "claim", ", claimed.adopted", ""),
    ),
)
