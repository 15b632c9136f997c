"""Manifests in the results bucket: committed once, read back, looked at together.

`jobs/<file_id>/<generation>/<recipe_id>.json` is the one place where a task's verdict becomes true.
"""

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime

from shared import naming
from shared.cloud.protocols import AlreadyExists, Bucket
from shared.errors import Transient, Unavailable
from shared.model import File, Job, Manifest, Output, Task, Verdict, canonical

#: An output's own name takes at most so much of its object's name.
MAX_OUTPUT_NAME_BYTES = 64


def manifest_name(file: File, recipe_id: str) -> str:
    """Where the manifest of this recipe lies in the results bucket."""
    return f"jobs/{file.file_id}/{file.generation}/{recipe_id}.json"


def output_name(task: Task, output: str) -> str:
    """Where this output lies in the results bucket."""
    return f"files/{task.file.name}/{task.file.generation}/{task.recipe.recipe_id}/{output}"


def has_room(task: Task) -> bool:
    """Whether the names of this task's outputs fit into Cloud Storage's limit."""
    return len(output_name(task, "").encode()) + MAX_OUTPUT_NAME_BYTES <= naming.MAX_OBJECT_BYTES


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
    """A verdict as of now, not yet committed; without a task, it is that of a file which no step takes."""
    recipe, siblings = (task.recipe, task.siblings) if task else (None, ())
    time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Manifest(file, recipe, siblings, verdict, time, attempt, reason, message, outputs)


def find(results: Bucket, file: File, recipe_id: str) -> Manifest | None:
    """The manifest, if this task has its verdict."""
    body = results.read(manifest_name(file, recipe_id))
    return Manifest.from_json(json.loads(body)) if body is not None else None


def commit(results: Bucket, manifest: Manifest) -> Manifest:
    """Make the verdict true, or learn that another delivery did so first: the winner is returned."""
    try:
        results.create(manifest_name(manifest.file, manifest.recipe_id), "application/json", canonical(manifest.to_json()))
        return manifest
    except AlreadyExists:
        winner = find(results, manifest.file, manifest.recipe_id)
        if winner is None:
            raise Unavailable("a manifest was there and is not") from None
        return winner


def job(results: Bucket, known: Manifest) -> Job | None:
    """The whole job, once every sibling of this manifest has one too."""
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
    """Every manifest of one name, or of one generation of it."""
    prefix = f"jobs/{file_id}/{generation}/" if generation else f"jobs/{file_id}/"
    for name in results.names(prefix):
        body = results.read(name)
        if body is not None:
            yield Manifest.from_json(json.loads(body))


def begin_attempt(results: Bucket, task: Task, delivery: int, limit: int) -> int | None:
    """Claim the next attempt by its number, from 1; None when all of them have begun.

    Deliveries that never arrived begin nothing, so an outage uses up no attempts. The first delivery claims without a word:
    nearly all files need no other.
    """
    if delivery == 1:
        return 1
    for number in range(2, limit + 1):
        with contextlib.suppress(AlreadyExists):
            results.create(_attempt_name(task, number, "begun"), "application/json", canonical({"delivery": delivery}))
            return number
    return None


def note_error(results: Bucket, task: Task, attempt: int, message: str) -> None:
    """Remember why this attempt failed, for the burial; a note that cannot be written must not hide the failure itself."""
    note = canonical({"task_id": task.task_id, "attempt": attempt, "message": message})
    with contextlib.suppress(AlreadyExists, Transient):
        results.create(_attempt_name(task, attempt, "error"), "application/json", note)


def last_error(results: Bucket, task: Task, attempt: int) -> str:
    """What this attempt died of, as far as it could still say so."""
    body = results.read(_attempt_name(task, attempt, "error"))
    return (
        str(json.loads(body)["message"])
        if body is not None
        else "the last attempt ended without a word: killed, or out of time"
    )


def _attempt_name(task: Task, attempt: int, what: str) -> str:
    return f"attempts/{task.file.file_id}/{task.file.generation}/{task.queue_name}/{attempt}-{what}.json"
