"""Manifests and notes of attempts in the results bucket: written once, read back, joined to jobs.

The object `jobs/<file_id>/<generation>/<recipe_id>.json` decides the verdict of a task: the first one created is final.
"""

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime

from shared import naming
from shared.cloud.protocols import AlreadyExists, Bucket
from shared.errors import Transient, Unavailable
from shared.model import File, Job, Manifest, Output, Task, Verdict, canonical


def manifest_name(file: File, recipe_id: str) -> str:
    """The object name of this recipe's manifest."""
    return f"jobs/{file.file_id}/{file.generation}/{recipe_id}.json"


def output_name(task: Task, output: str) -> str:
    """The object name of this output."""
    return f"files/{task.file.name}/{task.file.generation}/{task.recipe.recipe_id}/{output}"


def has_room(task: Task) -> bool:
    """Whether the object names of this task's outputs fit into Cloud Storage's limit."""
    return len(output_name(task, "").encode()) + naming.MAX_OUTPUT_BYTES <= naming.MAX_OBJECT_BYTES


def manifest(
    file: File,
    task: Task | None,
    verdict: Verdict,
    reason: str = "",
    message: str = "",
    *,
    attempt: int = 0,
    outputs: tuple[Output, ...] = (),
) -> Manifest:
    """A manifest with the current time, not yet committed. Without a task, it is that of a file that no route takes."""
    recipe, siblings = (task.recipe, task.siblings) if task else (None, ())
    time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Manifest(file, recipe, siblings, verdict, time, attempt, reason, message, outputs)


def find(results: Bucket, file: File, recipe_id: str) -> Manifest | None:
    """The manifest of this recipe, or None while the task has no verdict."""
    body = results.read(manifest_name(file, recipe_id))
    return Manifest.from_json(json.loads(body)) if body is not None else None


def commit(results: Bucket, manifest: Manifest) -> Manifest:
    """Create the manifest, or find the one that another delivery created first; returns the manifest that is final."""
    try:
        results.create(manifest_name(manifest.file, manifest.recipe_id), "application/json", canonical(manifest.to_json()))
        return manifest
    except AlreadyExists:
        winner = find(results, manifest.file, manifest.recipe_id)
        if winner is None:
            raise Unavailable("the manifest exists but cannot be read; retry") from None
        return winner


def job(results: Bucket, known: Manifest) -> Job | None:
    """The job of this manifest, or None while a sibling has no manifest."""
    steps = [known]
    for recipe_id in known.siblings:
        if recipe_id == known.recipe_id:
            continue
        sibling = find(results, known.file, recipe_id)
        if sibling is None:
            return None
        steps.append(sibling)
    return Job(known.file, tuple(steps))


def history(results: Bucket, file_id: str, generation: str = "") -> Iterator[Manifest]:
    """The manifests of all generations of a file, or of one."""
    prefix = f"jobs/{file_id}/{generation}/" if generation else f"jobs/{file_id}/"
    for name in results.names(prefix):
        body = results.read(name)
        if body is not None:
            yield Manifest.from_json(json.loads(body))


def begin_attempt(results: Bucket, task: Task, delivery: int, limit: int) -> int | None:
    """Claim the next attempt and return its number, from 1; None when all are used up.

    Only deliveries that reach us claim attempts, so an outage uses up none. The first delivery writes no claim, because nearly
    all files need only one.
    """
    if delivery == 1:
        return 1
    for number in range(2, limit + 1):
        with contextlib.suppress(AlreadyExists):
            results.create(_attempt_name(task, number, "begun"), "application/json", canonical({"delivery": delivery}))
            return number
    return None


def note_error(results: Bucket, task: Task, attempt: int, message: str) -> None:
    """Store the error of an attempt for the `dead` verdict.

    Best effort: a failure to write must not hide the error itself.
    """
    note = canonical({"task_id": task.task_id, "attempt": attempt, "message": message})
    with contextlib.suppress(AlreadyExists, Transient):
        results.create(_attempt_name(task, attempt, "error"), "application/json", note)


def last_error(results: Bucket, task: Task, attempt: int) -> str:
    """The error of this attempt, or a sentence that says why it is missing."""
    body = results.read(_attempt_name(task, attempt, "error"))
    if body is None:
        return "the last attempt left no error message: its process was killed, or ran out of time"
    return str(json.loads(body)["message"])


def _attempt_name(task: Task, attempt: int, what: str) -> str:
    return f"attempts/{task.file.file_id}/{task.file.generation}/{task.queue_name}/{attempt}-{what}.json"
