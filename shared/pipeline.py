"""START HERE. The life of a file, in order: receive · dispatch · process.

A crash may cut the work before or after any line, and everything may run twice. Three habits make that harmless: ids are derived,
not drawn; writes are create-only; and the manifest follows the outputs, the notice follows the manifest, and the answer to the
queue follows the notice.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared import errors, events, intake, ledger, log, naming, sandbox, source
from shared.cloud.protocols import AlreadyExists, Cloud, Stored
from shared.errors import BadFile, Conflict, Forbidden, Transient, Unavailable, Vanished
from shared.events import Ignored, MalformedEvent, Notice
from shared.intake import ChecksummedStream, Incoming
from shared.model import SKIPPED, File, Manifest, Output, Task, Verdict
from shared.processors import Draft
from shared.settings import Settings

# ---- receive: a file posted to the Upload Service -----------------------------------------------------------------------


def receive(incoming: Incoming, cloud: Cloud, key: str = "", number: int = 0) -> File:
    """Store a file while it streams in, and queue its tasks. A repeat with the same `key` returns the first object.

    Raises `BadRequest`, `UnsupportedType`, `TooLarge`, `Conflict` (another file has the same key) and `Unavailable`.
    """
    name = naming.object_name(incoming.name, key, number)
    log.bind(object=name)
    body = _limited(incoming, cloud.settings)
    content_type = intake.admit(incoming, body.head, name, cloud.routes)
    file = _as_file(_store_upload(name, content_type, body, cloud), cloud)
    log.bind(object=name, job=file.job_id)
    log.info("received", size=file.size, content_type=file.content_type)
    _queue_early(file, cloud)
    return file


def _limited(incoming: Incoming, settings: Settings) -> ChecksummedStream:
    limit = settings.max_post_bytes
    remedy = f"ask the issuer for a signed URL ({settings.issuer_url}), which takes larger files"
    return ChecksummedStream(incoming.blocks, limit, f"{incoming.name} has more than {limit} bytes; {remedy}")


def _store_upload(name: str, content_type: str, body: ChecksummedStream, cloud: Cloud) -> Stored:
    try:
        stored = cloud.uploads.create(name, content_type, body)
    except AlreadyExists:
        body.drain()
        first = cloud.uploads.find(name)
        if first is None or (first.size, first.crc32c) != (body.size, body.crc32c):
            raise Conflict("this Idempotency-Key was used for another file; send a new key", "key_reused") from None
        return first
    if (stored.size, stored.crc32c) != (body.size, body.crc32c):
        raise Unavailable("the bucket received other bytes than were sent; send the file again")
    return stored


def _as_file(stored: Stored, cloud: Cloud) -> File:
    bucket = cloud.settings.uploads_bucket
    return File(bucket, stored.name, stored.generation, stored.size, stored.content_type, stored.crc32c)


def _queue_early(file: File, cloud: Cloud) -> None:
    """Enqueue now instead of waiting for the notification.

    Best effort: if it fails, the dispatcher enqueues the tasks.
    """
    try:
        for task in cloud.routes.plan(file):
            if not _refusal(task, cloud):
                cloud.queue.add(task)
    except Transient as error:
        log.warning(f"not queued early, the dispatcher will do it: {error.message}")


# ---- dispatch: from the bucket's notification to the queues -------------------------------------------------------------


def dispatch(message: Mapping[str, Any], cloud: Cloud) -> None:
    """Queue the tasks of an uploaded file. Repeats are harmless, because task names are stable.

    Returns when the message needs no further delivery. Raises `Unavailable` to have it delivered again.
    """
    try:
        found = events.read(message, cloud.settings.uploads_bucket)
    except MalformedEvent as error:
        dead_letter(json.dumps(message).encode(), error.message, cloud)
        return
    if isinstance(found, Ignored):
        log.info(f"ignored: {found.reason}")
        return
    log.bind(object=found.name, job=found.job_id)
    if reason := _why_skipped(found, cloud):
        _settle(ledger.manifest(found, None, "skipped", *reason), cloud)
        return
    for task in cloud.routes.plan(found):
        _queue_or_settle(task, cloud)


def dead_letter(message: bytes, why: str, cloud: Cloud) -> None:
    """Publish an unreadable message to the dead letters, where operators look, so that it is not delivered again."""
    log.error(f"moved to the dead letters: {why}")
    cloud.dead_letters.publish(Notice(message or b"(empty)", {"reason": why.encode()[:1024].decode(errors="ignore")}))


def _why_skipped(file: File, cloud: Cloud) -> tuple[str, str] | None:
    """Reason and message for a file without tasks; None for a file with tasks."""
    if file.size == 0:
        return "empty", "the file has no bytes"
    message = cloud.routes.why_not(file.content_type, file.name)
    return ("no_route", message) if message else None


def _queue_or_settle(task: Task, cloud: Cloud) -> None:
    refusal = _refusal(task, cloud)
    if refusal:
        _settle(ledger.manifest(task.file, task, "failed", *refusal), cloud)
        return
    is_new = cloud.queue.add(task)
    log.info("queued" if is_new else "already queued", task=task.task_id, queue=task.queue)


def _refusal(task: Task, cloud: Cloud) -> tuple[str, str] | None:
    """Reason and message for a task that cannot succeed; None for one that can."""
    limit = cloud.settings.max_file_bytes
    if task.file.size > limit:
        return "too_large", f"the file has {task.file.size} bytes; the limit is {limit}"
    if not ledger.has_room(task):
        return (
            "name_too_long",
            f"the object's name is too long: its outputs' names would exceed {naming.MAX_OBJECT_BYTES} bytes",
        )
    return None


# ---- process: from a task to its verdict --------------------------------------------------------------------------------


def process(task: Task, delivery: int, cloud: Cloud) -> Manifest:
    """Run a task, commit its verdict and publish it. Safe to repeat; `delivery` counts from 1.

    Raises `Forbidden` for a file of another bucket; `Transient` and unforeseen exceptions to have the queue deliver again.
    """
    log.bind(object=task.file.name, job=task.file.job_id, task=task.task_id, delivery=delivery)
    if task.file.bucket != cloud.settings.uploads_bucket:
        raise Forbidden(f"the task's file is in bucket {task.file.bucket}, which is not the uploads bucket")
    manifest = ledger.find(cloud.results, task.file, task.recipe.recipe_id)
    if manifest:
        _announce(manifest, cloud)
        return manifest
    return _settle(_verdict(task, delivery, cloud), cloud)


def _verdict(task: Task, delivery: int, cloud: Cloud) -> Manifest:
    attempt = ledger.begin_attempt(cloud.results, task, delivery, task.attempts)
    if attempt is None:  # no further work: the cause of the failed attempts must not end this delivery too
        error_message = ledger.last_error(cloud.results, task, task.attempts)
        return ledger.manifest(task.file, task, "dead", "attempts_used_up", error_message, attempt=task.attempts)
    try:
        outputs = _work(task, cloud)
        return ledger.manifest(task.file, task, "succeeded", attempt=attempt, outputs=outputs)
    except Vanished as error:
        verdict: Verdict = "superseded" if error.code == "superseded" else "gone"
        return ledger.manifest(task.file, task, verdict, error.code, error.message, attempt=attempt)
    except BadFile as error:
        return ledger.manifest(task.file, task, "failed", error.code, error.message, attempt=attempt)
    except Exception as error:  # foreseen or not: the `dead` verdict names the error of the last attempt
        ledger.note_error(cloud.results, task, attempt, errors.summary(error))
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
    except AlreadyExists:  # an earlier delivery stored it: the manifest describes the stored object
        stored = cloud.results.find(name)
    if stored is None:
        raise Unavailable(f"output {draft.name} exists but cannot be read; retry")
    return Output(draft.name, name, stored.content_type, stored.size, stored.crc32c, draft.facts)


# ---- the end of dispatch and process ------------------------------------------------------------------------------------


def _settle(manifest: Manifest, cloud: Cloud) -> Manifest:
    """Commit a verdict and publish the final one, which may be another delivery's."""
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
