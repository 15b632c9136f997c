"""The progress of a run: each step is done, or waits in a queue at some attempt. Stored nowhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar
from urllib.parse import quote

from shared import attempts, index, ledger, log, task_numbers
from shared.attempts import Standing
from shared.cloud.protocols import Cloud, Queued
from shared.errors import Transient
from shared.manifest import Job, Manifest
from shared.model import Json, Place, Run
from shared.plan import Plan, PlannedStep, Task

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """A run with its plan and its manifests so far. `since` is when it began, where that is known (RFC 3339)."""

    run: Run
    plan: Plan
    manifests: Mapping[Place, Manifest] = field(default_factory=dict)
    since: str = ""

    @property
    def job(self) -> Job | None:
        """The whole job, or None while a task has no manifest."""
        is_whole = bool(self.manifests) and len(self.manifests) >= len(self.plan.places)
        return Job(list(self.manifests.values())) if is_whole else None


def find(file_id: str, generation: int, cloud: Cloud, number: int | None = None) -> Progress | None:
    """The progress of the newest run of this generation, or of the run of this number.

    None before the first verdict of run 0, unless its plan has several first tasks and so an object of its own.
    """
    if number is None:
        number = _last(file_id, generation, cloud)
    found = list(ledger.history(cloud.results, file_id, str(generation), str(number)))
    if found:
        return Progress(found[0].run, found[0].plan, {one.place: one for one in found if isinstance(one, Manifest)})
    claim = index.find_claim(cloud.results, file_id, generation, number) if number else None
    return Progress(claim.run, claim.plan, since=str(claim.body["time"])) if claim else None


def _last(file_id: str, generation: int, cloud: Cloud) -> int:
    return max(index.later_runs(cloud.results, file_id, generation), default=0)


def outputs(file_id: str, generation: int, step: str, cloud: Cloud) -> Mapping[str, str]:
    """The outputs of this step by the newest run in which it succeeded: name → object name."""
    for number in range(_last(file_id, generation, cloud), -1, -1):
        found = find(file_id, generation, cloud, number)
        results = [one.results[step] for one in found.manifests.values() if step in one.results] if found else []
        for result in results:
            if result.verdict == "succeeded":
                return {output.name: output.object for output in result.outputs}
    return {}


def describe(progress: Progress, cloud: Cloud, address: str = "") -> Json:
    """The run as answers show it: its file, its state, and each step in the order of the plan.

    With the `address` of its object, each output has one. The state precedes the notice and the index entry: whoever got the notice
    finds the verdict here.
    """
    plan, job = progress.plan, progress.job
    since = max((one.time for one in progress.manifests.values()), default=progress.since)
    why = {key: job.manifests[0].body[key] for key in ("reason", "message")} if job and not plan.steps else {}
    state = {"state": job.verdict if job else "processing", "since": since, **why}
    return described(progress.run) | state | {"steps": steps(progress, cloud, address), "ignored": list(plan.ignored)}


def described(run: Run) -> Json:
    """The run and its file."""
    file = run.file
    return {
        "object": file.name,
        "file_id": file.file_id,
        "job_id": run.job_id,
        "run": run.number,
        "generation": str(file.generation),
        "size": file.size,
        "content_type": file.content_type,
        "crc32c": file.crc32c,
        "metadata": dict(file.metadata),
    }


def steps(progress: Progress, cloud: Cloud, address: str = "") -> list[Json]:
    """Each step of the plan in its order: done, or the state of its task."""
    run, plan, manifests = progress.run, progress.plan, progress.manifests
    done = {step["step"]: _done(step, one, address) for one in manifests.values() for step in one.steps}
    tasks = {place: _pending(Task(run, plan, place), manifests, cloud) for place in plan.places if place not in manifests}
    return [
        {"step": step.name, "recipe_id": step.recipe.recipe_id, "queue": step.queue, "after": list(step.after)}
        | (done.get(step.name) or tasks[plan.place_of[step.name]].get(step.name, {}))
        for step in plan.steps
    ]


def _done(step: Json, manifest: Manifest, address: str) -> Json:
    shown = ("verdict", "reason", "message", "attempt", "facts", "times", "cost")
    adopted = {"adopted": step["adopted"]} if step.get("adopted") else {}
    outputs = [_output(step["step"], output, address) for output in step.get("outputs", ())]
    known = {key: step[key] for key in shown if key in step}
    return {"state": "done", "time": manifest.time, **known, **adopted, "outputs": outputs}


def _output(step: str, output: Json, address: str) -> Json:
    return output | ({"url": f"{address}/{step}/{quote(output['name'], safe='')}"} if address else {})


def _pending(task: Task, manifests: Mapping[Place, Manifest], cloud: Cloud) -> dict[str, Json]:
    """The state of each step of a task without a manifest: `waiting`, `queued` or `running`."""
    queued = None
    if all(place in manifests for place in task.plan.before(task.place)):
        queued = _asked(lambda: _queued(task, cloud))
    if queued is None:
        return {step.name: {"state": "waiting"} for step in task.steps}
    state: Json = {"state": "running" if queued.is_running else "queued", "deliveries": queued.deliveries, "next": queued.next}
    if queued.answer:
        state["answer"] = queued.answer
    if not queued.is_running and (queue := _asked(lambda: cloud.queue.state(task.place.queue))):
        state["queue_is_paused"] = queue.is_paused
    standings = attempts.standings(cloud.results, task) if queued.deliveries else {}
    return {step.name: state | _attempts(step, standings.get(step.name)) for step in task.steps}


def _queued(task: Task, cloud: Cloud) -> Queued | None:
    """The task in its queue, also under the names that sweeps and backfills give it."""
    tasks = (replace(task, sweep=number) for number in task_numbers.of(task.run, cloud))
    return next(filter(None, map(cloud.queue.find, tasks)), None)


def _attempts(step: PlannedStep, standing: Standing | None) -> Json:
    error = standing and standing.error
    shown = {"error": {key: error[key] for key in ("message", "attempt", "delivery", "time")}} if error else {}
    return {"attempt": standing.attempt if standing else 0, "attempts": step.attempts, **shown}


def _asked(call: Callable[[], T]) -> T | None:
    """The answer of the queue, or None: the rest of the answer is still worth having."""
    try:
        return call()
    except Transient as error:
        log.warning("the queue cannot be asked", error=error.message)
        return None
