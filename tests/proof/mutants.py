"""Versions of the protocol with one bug each. The checks must find every one of them."""

from shared import attempts, delivery, events, guard, ledger, model, pipeline, plan, source
from shared.operations import healing
from tests.proof import world
from tests.proof.mutants_of_cancelling import MUTANTS_OF_CANCELLING
from tests.proof.mutants_of_runs import MUTANTS_OF_RUNS
from tests.proof.planting import mutant

_FOUND = "        settle(found, cloud, task.sweep)\n        return"
_COMMIT = "found = _commit(name, draft, cloud)"
_MANIFESTS = "manifests = Manifests(cloud.results, task.run, task.plan)"
_BEFORE_ENLIST = 'log.follow(run.job_id, "dispatcher")'
_PLANNED = "return settle(_commit(ledger.job_name(run), manifest.of_plan(run, plan), cloud), cloud, sweep)"
_GUARDED = "refusal(run, plan, cloud) or cloud.guard.refusal(run):"
_READY = "all(manifests.find(one) for one in task.plan.before(place) if one != task.place)"
_LOOK = f"[place for place in task.plan.next(task.place) if {_READY}]"
_QUEUE_READY = f"for place in {_LOOK}:\n        _queue(Task(task.run, task.plan, place, task.sweep), cloud)"
_GO_ON_IF_READY = """if task.plan.next(task.place) and not ready:
        cloud.completions.publish(*events.step_notices(found))
        return"""
_LOCKED = """lock = f"locks/{task.name}/{task.place.queue}"
    if cloud.results.read(lock):
        return
    cloud.results.create(lock, "text/plain", b"x")"""
_OUTPUT = "{run.file.generation}/{recipe.recipe_id}{again}/"
_DEFER = """data = draft.path.read_bytes()
    vars(self.cloud).setdefault("deferred", []).append((name, draft.content_type, data))
    checksum = __import__("shared.testing").testing.crc32c(data)
    return Output(draft.name, name, draft.content_type, len(data), checksum, draft.facts)"""
_STORE_DEFERRED = """for name, kind, data in vars(cloud).pop("deferred", []):
        cloud.results.create(name, kind, data)"""

MUTANTS = (
    mutant(
        "found-is-left-alone",
        "a repeat that finds the manifest answers at once: what a crash left untold stays untold",
        (pipeline, "process", _FOUND, "        return"),
    ),
    mutant(
        "notice-before-commit",
        "notices are published before the manifest stands: another delivery may commit another one",
        (pipeline, "process", _COMMIT, f"cloud.completions.publish(*events.step_notices(draft))\n    {_COMMIT}"),
    ),
    mutant(
        "loser-publishes-its-draft",
        "a delivery that lost the race publishes its own results",
        (ledger, "commit", "winner = find(results, name)", "winner = draft"),
    ),
    mutant(
        "queue-before-commit",
        "the next tasks are queued before the manifest that they rely on",
        (pipeline, "process", _COMMIT, f"{_QUEUE_READY}\n    {_COMMIT}"),
    ),
    mutant(
        "look-before-commit",
        "a join looks at its siblings before its own manifest stands: two that end together both see the other missing",
        (pipeline, "process", _COMMIT, f"ready = {_LOOK}\n    {_COMMIT}\n    {_GO_ON_IF_READY}"),
        shape="join",
    ),
    mutant(
        "answer-before-finish",
        "the queue hears success before the notices are published",
        (pipeline, "process", _COMMIT, f"{_COMMIT}\n    cloud.acknowledge()"),
    ),
    mutant(
        "skipped-ends-alone",
        "a task that is skipped whole is committed, but not finished",
        (pipeline, "finish", "todo += [ended] if isinstance(ended, Manifest) else []", "pass"),
    ),
    mutant(
        "queue-before-skipped",
        "a task is queued before a branch that needs no work is committed: it ends, and finds that branch open",
        (
            pipeline,
            "finish",
            "todo += [ended]",
            "is_new = isinstance(ended, Task) and _queue(ended, cloud)\n                todo += [ended]",
        ),
        (pipeline, "finish", "is_open = any(is_queued)", "is_open = bool(is_queued)"),
        shape="fork-with-a-skipped-branch",
    ),
    mutant(
        "waiting-is-enough",
        "a delivery that ended skipped branches leaves the job's end to a join that waits",
        (pipeline, "finish", " and len(todo) == 1", ""),
        shape="forks-around-a-join",
    ),
    mutant(
        "manifest-overwritten",
        "manifests are written without a precondition",
        (ledger, "commit", 'results.create(name, "application/json"', 'results.overwrite(name, "application/json"'),
    ),
    mutant(
        "task-name-without-plan",
        "tasks of two plans share a name: the queue takes the second for the first",
        (plan.Task, "name", "{self.plan.plan8}-", ""),
        shape="one-first-task-then-two",
    ),
    mutant(
        "no-object-decides",
        "a single first task commits beside job.json: two plans can both commit",
        (ledger, "manifest_name", "job_name(run) if plan.first == [place] else ", ""),
    ),
    mutant(
        "several-first-without-plan",
        "a plan with several first tasks is queued before job.json holds it",
        (pipeline, "enlist", "len(plan.first) == 1 or run.number", "True"),
    ),
    mutant(
        "loser-goes-home",
        "a delivery that finds another plan in job.json leaves it to its own: after a crash nothing continues",
        (pipeline, "settle", "return _queue_first(found.run, found.plan, cloud, sweep)", "return False"),
        (
            pipeline,
            "enlist",
            _PLANNED,
            "found = _commit(ledger.job_name(run), draft := manifest.of_plan(run, plan), cloud)\n"
            "    return _queue_first(run, plan, cloud, sweep) if found is draft else settle(found, cloud, sweep)",
        ),
    ),
    mutant(
        "plan-after-queue",
        "the plan is written after its tasks are queued",
        (pipeline, "enlist", _PLANNED, f"_queue_first(run, plan, cloud, sweep)\n    {_PLANNED}"),
    ),
    mutant(
        "dispatch-ignores-plan",
        "the dispatcher queues today's plan though job.json holds another",
        (pipeline, "enlist", _PLANNED, f"{_PLANNED[7:]}\n    _queue_first(run, plan, cloud, sweep)"),
    ),
    mutant(
        "recipe-without-lineage",
        "a recipe's id does not depend on the step that makes its input: outputs of two inputs share a path",
        (model, "recipe", "made_by or None, *stored_with]", "None, *stored_with]"),
        shape="another-recipe",
    ),
    mutant(
        "sweep-under-same-name",
        "a sweep queues under the old names, which the queue refuses",
        (healing, "upload", "enlist(run, plan, cloud, sweeps[-1])", "enlist(run, plan, cloud)"),
        (healing, "upload", "settle(found, cloud, sweeps[-1])", "settle(found, cloud)"),
        (healing, "claim", "cloud, sweeps[-1], claimed.adopted", "cloud, 0, claimed.adopted"),
    ),
    mutant(
        "next-without-sweep",
        "what a swept task leads to does not inherit the sweep's suffix: the queue refuses its old name",
        (
            pipeline,
            "finish",
            "Task(run, plan, place, sweep, committed.adopted)",
            "Task(run, plan, place, 0, committed.adopted)",
        ),
        shape="a-task-lost-until-a-sweep",
    ),
    mutant(
        "branches-untold",
        "the last task to end does not publish for branches that were cut off before they did",
        (pipeline, "finish", "untold += [one for one in job.manifests if one.place not in assured]", "pass"),
    ),
    mutant(
        "attempts-per-task",
        "steps share their task's attempts: one poisonous step buries the healthy ones",
        (attempts.Attempts, "_name", "{step.name}/", "{self._task.steps[0].name}/"),
        (attempts.Attempts, "_notes", "step.name", "self._task.steps[0].name"),
        shape="several-steps-with-attempts",
    ),
    mutant(
        "faults-of-ours-count",
        "an attempt that an unavailable service ended is not given back",
        (attempts.Attempts, "void", 'self._note(step, attempt, "void", message)', "return"),
        shape="unavailable-for-a-while",
    ),
    mutant(
        "job-ends-early",
        "the job's notice is published though a task has no manifest yet",
        (ledger.Manifests, "job", "return None", "continue"),
    ),
    mutant(
        "acknowledge-before-queue",
        "the message is acknowledged before its tasks are queued",
        (pipeline, "dispatch", _BEFORE_ENLIST, f"{_BEFORE_ENLIST}\n    cloud.acknowledge()"),
    ),
    mutant(
        "message-ids-deduplicate",
        "a message whose id was seen before is dropped: the first delivery may have crashed",
        (
            pipeline,
            "dispatch",
            _BEFORE_ENLIST,
            f'{_BEFORE_ENLIST}\n    if cloud.results.read(f"seen/{{run.job_id}}"):\n        return\n'
            f'    cloud.results.create(f"seen/{{run.job_id}}", "text/plain", b"x")',
        ),
    ),
    mutant(
        "keyed-by-name",
        "manifests are kept by name, not by generation",
        (ledger, "folder", "{run.file.generation}", "{run.file.generation * 0 + 1_700_000_000_000_001}"),
    ),
    mutant(
        "newest-generation",
        "a task works on the live generation, not on its own",
        (source, "fetch", "file.generation, ", "(cloud.uploads.find(file.name) or file).generation, "),
    ),
    mutant(
        "lock-without-expiry",
        "a delivery takes a lock that a crash never gives back",
        (pipeline, "process", _MANIFESTS, f"{_LOCKED}\n    {_MANIFESTS}"),
    ),
    mutant(
        "manifest-before-outputs",
        "the manifest stands before the outputs that it names",
        (delivery._Delivery, "_store", "try:\n", f"{_DEFER}\n    try:\n"),
        (pipeline, "process", _COMMIT, f"{_COMMIT}\n    {_STORE_DEFERRED}"),
    ),
    mutant(
        "outputs-of-generations-share",
        "the outputs of two generations of a file share a path",
        (ledger, "output_name", _OUTPUT, "{recipe.recipe_id}{again}/"),
    ),
    mutant(
        "outputs-of-recipes-share",
        "the outputs of two recipes share a path",
        (ledger, "output_name", _OUTPUT, "{run.file.generation}/{recipe.step}{again}/"),
        shape="another-recipe",
    ),
    mutant(
        "random-event-id",
        "each publication has an id of its own, so that subscribers cannot drop repeats",
        (events, "_notice", '"id": event_id,', '"id": event_id + __import__("secrets").token_hex(4),'),
    ),
    mutant(
        "guard-forgets-a-file",
        "a file that the runaway guard skips gets no manifest",
        (pipeline, "enlist", _GUARDED, "refusal(run, plan, cloud):"),
        (pipeline, "enlist", "if len(", "if cloud.guard.refusal(run):\n        return False\n    if len("),
    ),
    mutant(
        "guard-skips-later-runs",
        "the runaway guard ends a run that was asked for",
        (guard.Guard, "refusal", " if run.number == 0 else frozenset()", ""),
    ),
    mutant("no-sweep", "lost tasks are never queued again", (world.World, "sweep", "self.checks.unfinished()", "()")),
    *MUTANTS_OF_RUNS,
    *MUTANTS_OF_CANCELLING,
)
