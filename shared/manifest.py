"""Manifests, exactly as they are stored, and the job that they form together. Pure.

The stored JSON is the truth: properties read it, and notices are cut from it. Nothing here rebuilds it from fields, so that the
fields of an older or newer release reach the subscribers unchanged.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.model import File, Json, Place, Result, Run, Verdict
from shared.plan import Plan, Task

#: Reasons of `skipped` for steps that the file does not call for; such a step does not count for the job's verdict.
NOT_WANTED = ("when", "after_skipped")
#: The reason of a step that an operator cancelled.
CANCELLED = "cancelled"
#: The reason of `skipped` for a step that comes after one that did not succeed.
AFTER_FAILED = "after_failed"


def reasons(steps: Iterable[Json]) -> str:
    """The reasons of a job, separated by commas, without those that follow from others."""
    found = dict.fromkeys(step.get("reason", "") for step in steps)
    return ",".join(reason for reason in found if reason and reason not in (*NOT_WANTED, AFTER_FAILED))


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """The `job.json` of a run with several first tasks: the plan that stands, whatever the configuration says later."""

    body: Json

    @property
    def run(self) -> Run:
        return _run(self.body)

    @property
    def plan(self) -> Plan:
        return Plan.from_json(self.body["plan"])


@dataclass(frozen=True, slots=True)
class Claim:
    """The object by which a run ≥ 1 begins: its plan, and the recipes whose results it takes from runs before.

    `request` is the id of the operator's request: the same request goes on with its own claim instead of starting another run.
    """

    body: Json

    @property
    def run(self) -> Run:
        return _run(self.body)

    @property
    def plan(self) -> Plan:
        return Plan.from_json(self.body["plan"])

    @property
    def adopted(self) -> Mapping[str, str]:
        """Recipe id → object name of the manifest whose result is taken."""
        return self.body["adopted"]  # type: ignore[no-any-return]

    @property
    def request(self) -> str:
        return str(self.body["request"])


@dataclass(frozen=True, slots=True)
class Manifest:
    """The JSON object that commits a task: the result of each step, and the plan.

    A file without tasks has one manifest with an empty plan, which itself carries the verdict and its reason.
    """

    body: Json

    @property
    def run(self) -> Run:
        return _run(self.body)

    @property
    def plan(self) -> Plan:
        return Plan.from_json(self.body["plan"])

    @property
    def place(self) -> Place:
        """The place of its task in the plan."""
        return Place(int(self.body["stage"]), self.body["queue"])

    @property
    def adopted(self) -> Mapping[str, str]:
        """The recipes whose results this run takes from runs before: recipe id → object name of the manifest."""
        return self.body.get("adopted", {})  # type: ignore[no-any-return]

    @property
    def time(self) -> str:
        """The time of the commit, RFC 3339 in UTC."""
        return str(self.body["time"])

    @property
    def steps(self) -> Sequence[Json]:
        """The stored result of each step, with its recipe."""
        return self.body["steps"]  # type: ignore[no-any-return]

    @property
    def results(self) -> Mapping[str, Result]:
        """The result of each step, by its name."""
        return {step["step"]: Result.from_json(step) for step in self.steps}


@dataclass(frozen=True, slots=True)
class Job:
    """The manifests of all tasks of one run of one file, by place."""

    manifests: Sequence[Manifest]

    @property
    def verdict(self) -> Verdict:
        """The verdict over all steps; that of a file without tasks stands in its manifest."""
        results = [result for manifest in self.manifests for result in manifest.results.values()]
        return verdict(results) if results else self.manifests[0].body["verdict"]

    @property
    def time(self) -> str:
        """The time of the latest manifest."""
        return max(manifest.time for manifest in self.manifests)


def verdict(results: Iterable[Result]) -> Verdict:
    """The verdict of a job by the results of its steps. Steps that the file does not call for do not count."""
    verdicts = {result.verdict for result in results if result.verdict != "skipped" or result.reason not in NOT_WANTED}
    if not verdicts:
        return "skipped"
    if "superseded" in verdicts or "gone" in verdicts:
        return "superseded" if "superseded" in verdicts else "gone"
    if "succeeded" in verdicts:
        return "succeeded" if len(verdicts) == 1 else "partial"
    worst: tuple[Verdict, ...] = ("dead", "failed", "skipped")
    return next(verdict for verdict in worst if verdict in verdicts)


def of_task(task: Task, results: Iterable[Result], time: str) -> Manifest:
    """The manifest of a task, not yet committed."""
    recipes = {step.name: step.recipe.to_json() for step in task.steps}
    steps = [result.to_json() | {"recipe": recipes[result.step]} for result in results]
    place = {"stage": task.place.stage, "queue": task.place.queue}
    adopted = {"adopted": dict(task.adopted)} if task.adopted else {}
    ended = {"plan": task.plan.to_json(), **adopted, "time": time, "steps": steps}
    return Manifest({"kind": "manifest", "job": _job(task.run), **place, **ended})


def of_no_task(run: Run, verdict: Verdict, reason: str, message: str, time: str) -> Manifest:
    """The manifest of a file for which there is nothing to do, not yet committed."""
    ended = {"verdict": verdict, "reason": reason, "message": message, "time": time, "steps": []}
    return Manifest({"kind": "manifest", "job": _job(run), "stage": 0, "queue": "", "plan": Plan().to_json(), **ended})


def of_plan(run: Run, plan: Plan) -> PlannedRun:
    """The plan of a run with several first tasks, not yet committed."""
    return PlannedRun({"kind": "plan", "job": _job(run), "plan": plan.to_json()})


def of_claim(run: Run, plan: Plan, adopted: Mapping[str, str], request: str, time: str) -> Claim:
    """The claim of a run, not yet committed."""
    wanted = {"plan": plan.to_json(), "adopted": dict(adopted), "request": request, "time": time}
    return Claim({"kind": "claim", "job": _job(run), **wanted})


def read(body: Json) -> Manifest | PlannedRun:
    """The content of `job.json`, or of another manifest."""
    return PlannedRun(body) if body["kind"] == "plan" else Manifest(body)


def _job(run: Run) -> Json:
    return {"job_id": run.job_id, "file_id": run.file.file_id, "run": run.number, "file": run.file.to_json()}


def _run(body: Json) -> Run:
    return Run(File.from_json(body["job"]["file"]), int(body["job"]["run"]))
