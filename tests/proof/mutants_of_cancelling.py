"""Versions of `cancel` with one bug each."""

from shared.operations import cancel
from tests.proof.planting import mutant

_FINISH = "pipeline.finish(found, cloud)"
_DELETE = "cloud.queue.delete(task)"
_PUBLISH = "cloud.completions.publish(*events.step_notices(before[0]))"
_COMMIT = "return ledger.commit(cloud.results, name, manifest.of_task(task, results, clock.now()))"
_DRAFT = "draft = manifest.of_task(task, results, clock.now())"

MUTANTS_OF_CANCELLING = (
    mutant(
        "cancelled-is-not-finished",
        "a cancelled task has its manifest and leaves its queue, but nothing is published and nothing comes after it",
        (cancel, "_end", _FINISH, "pass"),
        shape="cancel-one-task",
    ),
    mutant(
        "deleted-before-manifest",
        "a task leaves its queue before its manifest stands: after a crash neither a delivery nor an operator ends it",
        (cancel, "_end", "found = manifests", f"{_DELETE}\n    found = manifests"),
        shape="cancel-one-task",
    ),
    mutant(
        "deleted-before-finish",
        "a task leaves its queue before its notices are published: an operator who gives up leaves them unpublished",
        (cancel, "_end", "if not had_ended:", f"{_DELETE}\n        if not had_ended:"),
        shape="cancel-one-task",
    ),
    mutant(
        "cancels-one-branch",
        "the first task is cancelled, and the other first ones are left to their deliveries",
        (cancel, "cancel", "for place in plan.places:", "for place in plan.first[:1]:"),
        shape="cancel-two-first-tasks",
    ),
    mutant(
        "skipped-is-named-cancelled",
        "the answer names a step cancelled that comes after a cancelled one",
        (cancel, "_state", '"skipped" if', '"cancelled" if'),
        shape="cancel-a-chain",
    ),
    mutant(
        "cancel-overwrites",
        "a cancelled manifest replaces that of a faster delivery",
        (
            cancel,
            "_commit",
            _COMMIT,
            f"{_DRAFT}\n"
            "    cloud.results.overwrite(name, 'application/json', __import__('json').dumps(draft.body).encode())\n"
            "    return draft",
        ),
        shape="cancel-one-task",
    ),
    mutant(
        "cancel-without-plan",
        "the tasks of a file with several first ones are cancelled before an object decides its plan",
        (cancel, "_standing", "len(plan.first) > 1", "False"),
        shape="cancel-two-first-tasks",
    ),
    mutant(
        "cancel-under-todays-plan",
        "a file is cancelled under today's plan, not under the one that stands",
        (cancel, "_standing", "return found.plan if found else plan", "return plan"),
        shape="cancel-under-another-plan",
    ),
    mutant(
        "cancel-takes-another-plan",
        "a manifest of the plan that won at this moment is taken for that of the first task",
        (cancel, "_end", "or found.plan.plan8 != task.plan.plan8", ""),
        shape="cancel-under-another-plan",
    ),
    mutant(
        "cancel-of-nothing",
        "a file for which there is nothing to do any more is not looked up in the ledger: its tasks are left to run",
        (cancel, "_standing", "return found.plan if found else plan", "return found.plan if found and plan.places else plan"),
        shape="cancel-where-no-step-is-left",
    ),
    mutant(
        "cancels-the-first-run",
        "a later run is not seen: the first one is cancelled, which has ended",
        (cancel, "_newest", "if claims := index.claims(cloud.results, first):", "if claims := []:"),
        shape="cancel-a-run-again",
    ),
    mutant(
        "cancel-leaves-notices",
        "the notices of the step before a cancelled one are left to a delivery that may have been cut off",
        (cancel, "_commit", _PUBLISH, "pass"),
        shape="cancel-a-chain",
    ),
)
