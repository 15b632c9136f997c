"""Cancelling a file: each step that has not ended is skipped. Safe to repeat, and to cut off at any line.

The order is that of a delivery: first the manifest, then the notices and what comes after, and at last the task leaves its queue.
Until then a delivery of the task finds the manifest and does the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from shared import clock, events, index, ledger, manifest, naming, pipeline, task_numbers, uploaded
from shared.cloud.protocols import Cloud
from shared.errors import NotFound, Unavailable
from shared.ledger import Found, Manifests
from shared.manifest import CANCELLED, Manifest
from shared.model import File, Json, Result, Run, file_id
from shared.plan import Plan, Task

State = Literal["cancelled", "skipped", "overtaken", "ended"]


@dataclass(frozen=True, slots=True)
class Answer:
    """The state of each step of the newest run of a file.

    `cancelled`: by an operator. `skipped`: it comes after a cancelled step. `ended`: before the request. `overtaken`: a delivery
    ended it during the request. `had_ended` is True where the whole job ended before the request.
    """

    run: Run
    had_ended: bool
    steps: Mapping[str, State]

    def to_json(self) -> Json:
        run = {"object": self.run.file.name, "job_id": self.run.job_id, "run": self.run.number}
        return run | {"had_ended": self.had_ended, "steps": dict(self.steps)}


def cancel(name: str, cloud: Cloud) -> Answer:
    """Cancel the newest run of the newest generation of an object.

    Raises `NotFound` for an object that was never uploaded or is ignored, and `Unavailable`: then cancel again.
    """
    run, plan, adopted = _newest(name, cloud)
    manifests = Manifests(cloud.results, run, plan)
    ended = {place for place in plan.places if manifests.find(place)}
    had_ended = index.has_entry(cloud.results, run)
    if not had_ended and not plan.places:
        pipeline.enlist(run, plan, cloud)  # a file with nothing to do: this is its end
    for place in plan.places:  # by stage: those that this one comes after have ended
        _end(Task(run, plan, place, adopted=adopted), manifests, had_ended, cloud)
    whole = manifests.job()
    parts = whole.manifests if whole else ()
    return Answer(run, had_ended, {step["step"]: _state(step, one.place in ended) for one in parts for step in one.steps})


def _newest(name: str, cloud: Cloud) -> tuple[Run, Plan, Mapping[str, str]]:
    """The newest run of an object, the plan that stands for it, and what its claim adopts."""
    first = Run(_file(name, cloud))
    if claims := index.claims(cloud.results, first):
        last = claims[-1]
        return last.run, _standing(last.run, last.plan, cloud), last.adopted
    return first, _standing(first, cloud.routes.plan(first.file), cloud), {}


def _standing(run: Run, plan: Plan, cloud: Cloud) -> Plan:
    """The plan in `job.json`. Where that is missing, this plan, written first where `enlist` would write it."""
    name = ledger.job_name(run)
    found = ledger.find(cloud.results, name)
    if not found and (refused := pipeline.refusal(run, plan, cloud)) and not index.has_entry(cloud.results, run):
        found = ledger.commit(cloud.results, name, manifest.of_no_task(run, *refused, clock.now()))
    if not found and len(plan.first) > 1 and not run.number:
        found = ledger.commit(cloud.results, name, manifest.of_plan(run, plan))
    return found.plan if found else plan


def _file(name: str, cloud: Cloud) -> File:
    """The newest generation of an object, from the uploads bucket, else from the ledger."""
    bucket = cloud.settings.uploads_bucket
    live = cloud.uploads.find(name) if naming.is_possible(name) else None
    if live:
        file = uploaded.live(live, cloud)
        if ignored := events.why_ignored(file):
            raise NotFound(f"object {name!r} has no job to cancel: it is {ignored.reason}")
        return file
    identity = file_id(bucket, name)
    generations = [int(found.split("/")[2]) for found in cloud.results.names(f"jobs/{identity}/")]
    if not generations:
        raise NotFound(f"no object {name[:200]!r} found: it was never uploaded, or deleted before it had a verdict")
    return next(ledger.history(cloud.results, identity, str(max(generations)))).run.file


def _end(task: Task, manifests: Manifests, had_ended: bool, cloud: Cloud) -> None:
    """End a task, unless a delivery was faster. Of an earlier request that was cut off, do the rest."""
    found = manifests.find(task.place) or _commit(task, manifests, cloud)
    if not isinstance(found, Manifest) or found.plan.plan8 != task.plan.plan8:
        raise Unavailable(f"object {task.file.name} was given another plan at this moment; cancel again")
    manifests.add(found)
    if all(step.get("reason") == CANCELLED for step in found.steps):
        if not had_ended:
            pipeline.finish(found, cloud)
        for number in task_numbers.of(task.run, cloud):  # a sweep or a backfill may have queued it
            if cloud.queue.delete(replace(task, sweep=number)):
                break


def _commit(task: Task, manifests: Manifests, cloud: Cloud) -> Found:
    before = [found for place in task.plan.before(task.place) if (found := manifests.find(place))]
    if len(before) == 1:
        # A delivery queues this task after these notices, and the job's end relies on it; here it may never have been queued.
        cloud.completions.publish(*events.step_notices(before[0]))
    results = [
        Result(step.name, step.recipe.recipe_id, "skipped", CANCELLED, "an operator cancelled it") for step in task.steps
    ]
    name = ledger.manifest_name(task.run, task.plan, task.place)
    return ledger.commit(cloud.results, name, manifest.of_task(task, results, clock.now()))


def _state(step: Json, had_ended: bool) -> State:
    if step.get("reason") == CANCELLED:
        return "cancelled"
    if had_ended:
        return "ended"
    return "skipped" if step["verdict"] == "skipped" else "overtaken"
