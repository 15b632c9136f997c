"""The ledger of a run in the results bucket: one create-only object decides its plan, and one commits each task.

`jobs/<file_id>/<generation>/<run>/job.json` decides the plan. It is the manifest itself where the plan has exactly one first task,
or none; the plan where there are several. The other tasks' manifests stand beside it as `<stage>-<queue>.json`.
"""

import json
from collections.abc import Iterator

from shared import manifest, naming
from shared.cloud.protocols import AlreadyExists, Bucket
from shared.errors import Unavailable
from shared.manifest import Job, Manifest, PlannedRun
from shared.model import Place, Recipe, Run, canonical
from shared.plan import Plan

Found = Manifest | PlannedRun


def folder(run: Run) -> str:
    """The prefix of this run's objects."""
    return f"jobs/{run.file.file_id}/{run.file.generation}/{run.number}/"


def job_name(run: Run) -> str:
    """The object that decides the plan of this run."""
    return f"{folder(run)}job.json"


def manifest_name(run: Run, plan: Plan, place: Place) -> str:
    """The object that commits this task."""
    return job_name(run) if plan.first == [place] else f"{folder(run)}{place}.json"


def output_name(run: Run, recipe: Recipe, output: str) -> str:
    """The object name of this output. Each run after run 0 has a folder of its own."""
    again = f"-r{run.number}" if run.number else ""
    return f"files/{run.file.name}/{run.file.generation}/{recipe.recipe_id}{again}/{output}"


def has_room(run: Run, recipe: Recipe) -> bool:
    """Whether the object names of this recipe's outputs fit into Cloud Storage's limit."""
    return len(output_name(run, recipe, "").encode()) + naming.MAX_OUTPUT_BYTES <= naming.MAX_OBJECT_BYTES


def find(results: Bucket, name: str) -> Found | None:
    """The manifest or plan of this name, or None. Raises `Unavailable` for an object that is neither."""
    body = results.read(name)
    try:
        return manifest.read(json.loads(body)) if body is not None else None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unavailable(f"object {name} of the results bucket is no manifest; restore what it was, or delete it") from None


def commit(results: Bucket, name: str, draft: Found) -> Found:
    """Create the object, or find the one that another delivery created first; returns the one that is final."""
    try:
        results.create(name, "application/json", canonical(draft.body))
        return draft
    except AlreadyExists:
        winner = find(results, name)
        if winner is None:
            raise Unavailable(f"object {name} exists but cannot be read; retry") from None
        return winner


class Manifests:
    """The manifests of one run under one plan. Each is read at most once after it exists, because it never changes."""

    def __init__(self, results: Bucket, run: Run, plan: Plan) -> None:
        self.run = run
        self.plan = plan
        self._results = results
        self._found: dict[Place, Manifest] = {}

    def add(self, found: Manifest) -> None:
        """Remember a manifest that need not be read again."""
        self._found[found.place] = found

    def find(self, place: Place) -> Manifest | None:
        """The manifest of this task, or None while it has none."""
        if place not in self._found:
            found = find(self._results, manifest_name(self.run, self.plan, place))
            if isinstance(found, Manifest):
                self._found[place] = found
        return self._found.get(place)

    def of(self, step: str) -> Manifest:
        """The manifest of this step's task, which a later task relies on. Raises `Unavailable` if it cannot be read."""
        found = self.find(self.plan.place_of[step])
        if found is None:
            raise Unavailable(f"the manifest of step {step} cannot be read; retry")
        return found

    def job(self) -> Job | None:
        """The whole job, or None while a task has no manifest."""
        manifests = []
        for place in self.plan.places or self._found:  # a file without tasks has one manifest all the same
            found = self.find(place)
            if found is None:
                return None
            manifests.append(found)
        return Job(manifests)


def history(results: Bucket, file_id: str, generation: str = "", run: str = "") -> Iterator[Found]:
    """The manifests and plans of all generations of a file, of one, or of one run of it."""
    for name in results.names("/".join(filter(None, ("jobs", file_id, generation, run))) + "/"):
        found = find(results, name)
        if found is not None:
            yield found


def generations(results: Bucket, file_id: str) -> list[int]:
    """The generations of a file that have a plan or a manifest, newest first: a list call for a thousand objects."""
    prefix = f"jobs/{file_id}/"
    found = {name.removeprefix(prefix).partition("/")[0] for name in results.names(prefix)}
    return sorted(map(int, found), reverse=True)


def oldest_generation(results: Bucket, file_id: str) -> int | None:
    """The first generation of a file that has a plan or a manifest, or None: one list call."""
    prefix = f"jobs/{file_id}/"
    return next((int(name.removeprefix(prefix).partition("/")[0]) for name in results.page(prefix, prefix, 1)), None)
