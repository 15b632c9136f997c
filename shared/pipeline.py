"""START HERE. The life of a file, in order: receive · dispatch · process.

Every line may be cut by a crash before or after it, and everything may run twice. Three habits make that harmless: ids are
derived, not drawn; writes are create-only; and the manifest comes after the outputs, the notice after the manifest, the
answer to the queue after the notice.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared import events, ledger, log, media, naming, routes, sandbox, source
from shared.cloud.protocols import AlreadyExists, Cloud, Stored
from shared.errors import BadFile, BadRequest, Conflict, Forbidden, Transient, Unavailable, UnsupportedType, Vanished
from shared.events import Ignored, MalformedEvent, Notice
from shared.intake import Incoming, Measured
from shared.model import SKIPPED, File, Manifest, Output, Task, Verdict
from shared.processors import Draft

# ---- receive: the Upload Service's door ----------------------------------------------------------------------------


def receive(incoming: Incoming, cloud: Cloud, key: str = "", number: int = 0) -> File:
    """Store a file while it streams in, and queue its tasks. With an idempotency key, a repeat finds the first one's object.

    Raises `BadRequest`, `UnsupportedType`, `TooLarge`, `Conflict` (the key came with other bytes before), `Unavailable`.
    """
    name = naming.object_name(incoming.name, key, number)
    log.about(object=name)
    declared = routes.media_type(incoming.content_type)
    if not media.is_type(declared):
        problem = f"comes as {declared[:80]!r}, which is no media type; write one such as image/jpeg"
        raise BadRequest(f"{incoming.name} {problem}", "bad_content_type")
    limit = cloud.settings.max_post_bytes
    issuer = f"ask the issuer for a signed URL ({cloud.settings.issuer_url})"
    body = Measured(incoming.blocks, limit, f"{incoming.name} has more than {limit} bytes; {issuer}, it takes larger ones")
    if not body.head:
        raise BadRequest(f"{incoming.name} is empty; send at least one byte", "empty_file")
    content_type = media.settle(declared, body.head)
    if not cloud.routes.steps_for(content_type, name):
        accepted = ", ".join(cloud.routes.accepted_types())
        raise UnsupportedType(f"{incoming.name} is {content_type}, which no route takes; accepted: {accepted}")
    stored = _store_upload(name, content_type, body, cloud)
    file = _as_file(stored, cloud)
    log.about(object=name, job=file.job_id)
    log.info("received", size=file.size, content_type=file.content_type)
    _queue_early(file, cloud)
    return file


def _store_upload(name: str, content_type: str, body: Measured, cloud: Cloud) -> Stored:
    try:
        stored = cloud.uploads.create(name, content_type, body)
    except AlreadyExists:
        body.drain()
        there = cloud.uploads.find(name)
        if there is None or (there.size, there.crc32c) != (body.size, body.crc32c):
            raise Conflict("this Idempotency-Key came with other bytes before; use a new one", "key_reused") from None
        return there
    if (stored.size, stored.crc32c) != (body.size, body.crc32c):
        raise Unavailable("the file did not arrive in the bucket as it was sent; send it again")
    return stored


def _as_file(stored: Stored, cloud: Cloud) -> File:
    bucket = cloud.settings.uploads_bucket
    return File(bucket, stored.name, stored.generation, stored.size, stored.content_type, stored.crc32c)


def _queue_early(file: File, cloud: Cloud) -> None:
    """Save the notification's way; it will find these tasks there. If this fails, the notification still does its work."""
    try:
        for task in cloud.routes.plan(file):
            if not _refusal(task, cloud):
                cloud.queue.add(task)
    except Transient as error:
        log.warning(f"left to the bucket's notification: {error.message}")


# ---- dispatch: from the bucket's notification to the queues -----------------------------------------------------------


def dispatch(message: Mapping[str, Any], cloud: Cloud) -> None:
    """Queue the tasks of a newly uploaded file. Repeats are harmless: tasks have stable names.

    Returns when nothing is left to do for this message; raises `Unavailable` to have it delivered again.
    """
    try:
        found = events.read(message, cloud.settings.uploads_bucket)
    except MalformedEvent as error:
        bury(json.dumps(message).encode(), error.message, cloud)
        return
    if isinstance(found, Ignored):
        log.info(f"ignored: {found.reason}")
        return
    log.about(object=found.name, job=found.job_id)
    tasks = cloud.routes.plan(found)
    if not tasks or found.size == 0:
        reason = ("empty", "the file has no bytes") if found.size == 0 else ("no_route", "no route takes this file")
        _settle(ledger.manifest(found, None, "skipped", *reason), cloud)
        return
    for task in tasks:
        _queue_or_settle(task, cloud)


def bury(message: bytes, why: str, cloud: Cloud) -> None:
    """Keep a message that nobody can read where an operator finds it, and stop its delivery."""
    log.error(f"put among the dead letters: {why}")
    cloud.dead_letters.publish(Notice(message or b"(empty)", {"reason": why.encode()[:1024].decode(errors="ignore")}))


def _queue_or_settle(task: Task, cloud: Cloud) -> None:
    refusal = _refusal(task, cloud)
    if refusal:
        _settle(ledger.manifest(task.file, task, "failed", *refusal), cloud)
        return
    is_new = cloud.queue.add(task)
    log.info("queued" if is_new else "was queued before", task=task.task_id, queue=task.queue)


def _refusal(task: Task, cloud: Cloud) -> tuple[str, str] | None:
    """Why this task would fail whatever we did: reason and message."""
    limit = cloud.settings.max_file_bytes
    if task.file.size > limit:
        return "too_large", f"the file has {task.file.size} bytes; at most {limit} are processed"
    if not ledger.has_room(task):
        return "name_too_long", "the object's name leaves no room for its results' names (1,024 bytes)"
    return None


# ---- process: from a task to its verdict ------------------------------------------------------------------------------


def process(task: Task, delivery: int, cloud: Cloud) -> Manifest:
    """Bring a task to its verdict and tell of it, whatever earlier deliveries have done already; `delivery` counts from 1.

    Raises `Transient`, or whatever nobody foresaw, to have the queue deliver again; `Forbidden` for a file that is not ours.
    """
    log.about(object=task.file.name, job=task.file.job_id, task=task.task_id, delivery=delivery)
    if task.file.bucket != cloud.settings.uploads_bucket:
        raise Forbidden(f"the task names bucket {task.file.bucket}, which is not the uploads bucket")
    manifest = ledger.find(cloud.results, task.file, task.recipe.recipe_id)
    if manifest:
        _announce(manifest, cloud)
        return manifest
    return _settle(_verdict(task, delivery, cloud), cloud)


def _verdict(task: Task, delivery: int, cloud: Cloud) -> Manifest:
    attempt = ledger.begin_attempt(cloud.results, task, delivery, task.attempts)
    if attempt is None:  # bury it: whatever killed the attempts must not kill this delivery
        last_words = ledger.last_error(cloud.results, task, task.attempts)
        return ledger.manifest(task.file, task, "dead", "attempts_used_up", last_words, attempt=task.attempts)
    try:
        outputs = _work(task, cloud)
        return ledger.manifest(task.file, task, "succeeded", attempt=attempt, outputs=outputs)
    except Vanished as error:
        verdict: Verdict = "superseded" if error.code == "superseded" else "gone"
        return ledger.manifest(task.file, task, verdict, error.code, error.message, attempt=attempt)
    except BadFile as error:
        return ledger.manifest(task.file, task, "failed", error.code, error.message, attempt=attempt)
    except Transient as error:
        ledger.note_error(cloud.results, task, attempt, error.message)
        raise


def _work(task: Task, cloud: Cloud) -> tuple[Output, ...]:
    with tempfile.TemporaryDirectory(prefix="sluice-", ignore_cleanup_errors=True) as folder:
        original, workdir = Path(folder) / "source", Path(folder) / "work"
        workdir.mkdir()
        source.fetch(task.file, original, cloud)
        drafts = sandbox.run(task.recipe, original, workdir)
        return tuple(_store_output(task, draft, cloud) for draft in drafts)


def _store_output(task: Task, draft: Draft, cloud: Cloud) -> Output:
    name = ledger.output_name(task, draft.name)
    try:
        stored: Stored | None = cloud.results.create(name, draft.content_type, draft.path)
    except AlreadyExists:  # an earlier delivery came this far: what is stored is what the manifest tells of
        stored = cloud.results.find(name)
    if stored is None:
        raise Unavailable(f"output {draft.name} was there and is not")
    return Output(draft.name, name, stored.content_type, stored.size, stored.crc32c, draft.facts)


# ---- what both end with -----------------------------------------------------------------------------------------------


def _settle(manifest: Manifest, cloud: Cloud) -> Manifest:
    """Commit a verdict and tell of the one that stands, which may be another delivery's."""
    winner = ledger.commit(cloud.results, manifest)
    log.info(f"{winner.verdict}", task=winner.task_id, reason=winner.reason, attempt=winner.attempt)
    _announce(winner, cloud)
    return winner


def _announce(manifest: Manifest, cloud: Cloud) -> None:
    notices = [events.step_notice(manifest)] if manifest.recipe_id != SKIPPED else []
    job = ledger.job(cloud.results, manifest)
    if job:
        notices.append(events.job_notice(job))
    cloud.completions.publish(*notices)
