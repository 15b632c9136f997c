"""START HERE. The life of a file, in order: receive · dispatch · process · finish.

A crash may cut the work before or after any line, and everything may run twice. Three habits make that harmless: ids are derived,
not drawn; writes are create-only; and the manifest follows the outputs, the notices follow the manifest, the next tasks follow the
notices, and the answer to the queue follows them all.
"""

import json
from collections.abc import Mapping
from typing import Any

from shared import clock, delivery, events, guard, index, intake, ledger, log, manifest, naming, uploaded
from shared.cloud.protocols import AlreadyExists, Cloud, Stored
from shared.errors import Conflict, Forbidden, Transient, Unavailable, Vanished
from shared.events import Ignored, MalformedEvent, Notice
from shared.intake import ChecksummedStream, Incoming
from shared.ledger import Found, Manifests
from shared.manifest import Job, Manifest, PlannedRun
from shared.model import File, Place, Run, Verdict
from shared.plan import Plan, Task
from shared.settings import Settings

NOTHING: Mapping[str, str] = {}

# ---- receive: a file posted to the Upload Service -----------------------------------------------------------------------


def receive(incoming: Incoming, cloud: Cloud, seed: bytes = b"", number: int = 0) -> File:
    """Store a file while it streams in, and queue its first task. A repeat with this `seed` gives the first object.

    Raises `BadRequest`, `UnsupportedType`, `TooLarge`, `Conflict` (another file has the same key) and `Unavailable`.
    """
    name = naming.object_name(incoming.name, seed, number)
    log.bind(object=name)
    body = _limited(incoming, cloud.settings)
    content_type = intake.admit(incoming, body.head, name, cloud.routes)
    file = uploaded.as_file(_store_upload(name, content_type, incoming.metadata, body, cloud), cloud)
    run = Run(file)
    log.bind(object=name, job=run.job_id)
    log.follow(run.job_id, "upload")
    log.info("received", size=file.size, content_type=file.content_type)
    _enlist_early(run, cloud)
    return file


def _limited(incoming: Incoming, settings: Settings) -> ChecksummedStream:
    limit = settings.max_post_bytes
    remedy = f"ask the issuer for a signed URL ({settings.issuer_url}), which takes larger files"
    return ChecksummedStream(incoming.blocks, limit, f"{incoming.name} has more than {limit} bytes; {remedy}")


def _store_upload(name: str, content_type: str, metadata: Mapping[str, str], body: ChecksummedStream, cloud: Cloud) -> Stored:
    try:
        stored = cloud.uploads.create(name, content_type, body, metadata)
    except AlreadyExists:
        body.drain()
        first = cloud.uploads.find(name)
        if first is None or (first.size, first.crc32c, first.metadata) != (body.size, body.crc32c, metadata):
            raise Conflict("this Idempotency-Key was used for another file or metadata; send a new key", "key_reused") from None
        return first
    if (stored.size, stored.crc32c) != (body.size, body.crc32c):
        raise Unavailable("the bucket received other bytes than were sent; send the file again")
    return stored


def _enlist_early(run: Run, cloud: Cloud) -> None:
    """Enqueue now instead of waiting for the notification, if one task is the first: then no object comes before it.

    Best effort: if it fails, the dispatcher does it.
    """
    try:
        plan = cloud.routes.plan(run.file)
        if len(plan.first) == 1 and not refusal(run, plan, cloud):
            _queue_first(run, plan, cloud)
    except Transient as error:
        log.warning("not queued early; the dispatcher will do it", error=error.message)


# ---- dispatch: from the bucket's notification to the queues -------------------------------------------------------------


def dispatch(message: Mapping[str, Any], cloud: Cloud) -> None:
    """Queue the first tasks of an uploaded file. Repeats are harmless, because the names of tasks are stable.

    Returns when the message needs no further delivery. Raises `Unavailable` to have it delivered again.
    """
    try:
        found = events.read(message, cloud.settings.uploads_bucket)
    except MalformedEvent as error:
        dead_letter(json.dumps(message).encode(), error.message, cloud)
        return
    if isinstance(found, Ignored):
        log.info("ignored", reason=found.reason)
        return
    run = Run(found)
    log.bind(object=found.name, job=run.job_id)
    log.follow(run.job_id, "dispatcher")
    try:
        file = uploaded.typed(found, cloud)
        enlist(Run(file), cloud.routes.plan(file), cloud)
    except Vanished as error:  # no type, hence no plan, without its bytes; what an earlier delivery decided stands
        ended = manifest.of_no_task(run, error.verdict, error.code, error.message, clock.now())
        settle(_commit(ledger.job_name(run), ended, cloud), cloud)


def dead_letter(message: bytes, why: str, cloud: Cloud) -> None:
    """Publish an unreadable message to the dead letters, where operators look, so that it is not delivered again."""
    log.error("moved to the dead letters", reason=why)
    cloud.dead_letters.publish(Notice(message or b"(empty)", {"reason": why.encode()[:1024].decode(errors="ignore")}))


def enlist(run: Run, plan: Plan, cloud: Cloud, sweep: int = 0, adopted: Mapping[str, str] = NOTHING) -> bool:
    """Queue the first tasks of a run, unless another plan has this run. A run with nothing to do ends here.

    `sweep` is the number of a sweep that queues them again, else 0; `adopted` that of the run's claim. True when a queue took one.
    """
    if refused := refusal(run, plan, cloud) or cloud.guard.refusal(run):
        return settle(_commit(ledger.job_name(run), manifest.of_no_task(run, *refused, clock.now()), cloud), cloud, sweep)
    if len(plan.first) == 1 or run.number:
        return _queue_first(run, plan, cloud, sweep, adopted)
    return settle(_commit(ledger.job_name(run), manifest.of_plan(run, plan), cloud), cloud, sweep)


def refusal(run: Run, plan: Plan, cloud: Cloud) -> tuple[Verdict, str, str] | None:
    """Verdict, reason and message for a file for which there is nothing to do; None for a file with tasks."""
    file, limit = run.file, cloud.settings.max_file_bytes
    if file.size == 0:
        return "skipped", "empty", "the file has no bytes"
    if not plan.steps:
        return "skipped", "no_route", cloud.routes.why_not(file.content_type, file.name, file.metadata, file.size)
    if file.size > limit:
        return "failed", "too_large", f"the file has {file.size} bytes; the limit is {limit}"
    if not all(ledger.has_room(run, step.recipe) for step in plan.steps):
        reason = f"the object's name is too long: its outputs' names would exceed {naming.MAX_OBJECT_BYTES} bytes"
        return "failed", "name_too_long", reason
    return guard.too_many_hops(run)


def settle(found: Found, cloud: Cloud, sweep: int = 0) -> bool:
    """Finish a manifest of the ledger, or queue its plan, whoever wrote it. True when a queue took a task."""
    if isinstance(found, PlannedRun):
        return _queue_first(found.run, found.plan, cloud, sweep)
    return finish(found, cloud, sweep)


def _queue_first(run: Run, plan: Plan, cloud: Cloud, sweep: int = 0, adopted: Mapping[str, str] = NOTHING) -> bool:
    is_queued = [_queue(Task(run, plan, place, sweep, adopted), cloud) for place in plan.first]
    return any(is_queued)


def _queue(task: Task, cloud: Cloud) -> bool:
    """Queue a task; False when the queue has, or recently had, its name."""
    is_new = cloud.queue.add(task)
    log.info("queued" if is_new else "already queued", task=task.name, queue=task.place.queue)
    return is_new


# ---- process: from a task to its manifest -------------------------------------------------------------------------------


def process(task: Task, number: int, cloud: Cloud) -> None:
    """Run the steps of a task, commit their results, and finish. Safe to repeat; deliveries count from 1.

    Raises `Forbidden` for a file of another bucket; `Transient` and unforeseen exceptions to have the queue deliver again.
    """
    log.bind(object=task.file.name, job=task.run.job_id, task=task.name, queue=task.place.queue, delivery=number)
    log.follow(Run(task.file).job_id, task.place, task.name, number)  # tasks of one stage share their name
    if task.file.bucket != cloud.settings.uploads_bucket:
        raise Forbidden(f"the task's file is in bucket {task.file.bucket}, which is not the uploads bucket")
    name = ledger.manifest_name(task.run, task.plan, task.place)
    # A first delivery does not look: nearly always there is nothing.
    is_worth_a_look = number > 1 or task.sweep or cloud.guard.may_have_ended(task.file)
    found = ledger.find(cloud.results, name) if is_worth_a_look else None
    if found:
        settle(found, cloud, task.sweep)
        return
    manifests = Manifests(cloud.results, task.run, task.plan)
    draft = manifest.of_task(task, delivery.run(task, number, cloud, manifests), clock.now())
    found = _commit(name, draft, cloud)
    if found is draft:
        finish(draft, cloud, task.sweep, manifests)  # which has read those before it
    else:
        settle(found, cloud, task.sweep)


def _commit(name: str, draft: Found, cloud: Cloud) -> Found:
    """Commit a manifest or a plan, and log the verdicts that stand now."""
    found = ledger.commit(cloud.results, name, draft)
    if isinstance(found, Manifest):
        for step in found.steps or [found.body]:
            log.info("ended", step=step.get("step", ""), verdict=step["verdict"], reason=step.get("reason", ""))
    return found


# ---- finish: from a manifest to the notices and the next tasks ----------------------------------------------------------


def finish(committed: Manifest, cloud: Cloud, sweep: int = 0, manifests: Manifests | None = None) -> bool:
    """Publish a manifest's notices, queue the tasks that come after it, and end the job after the last task.

    Repeated as a whole whenever a delivery finds the manifest: a crash between any two of its lines heals. `manifests` holds
    those of this run and plan that the caller has read. Returns whether the queues took a task.
    """
    manifests = manifests or Manifests(cloud.results, committed.run, committed.plan)
    run, plan = manifests.run, manifests.plan
    todo, told = [committed], set[Place]()
    reached: dict[Place, Manifest | Task | None] = {}
    for current in todo:  # it grows by the tasks that end without work
        manifests.add(current)
        following = plan.next(current.place)
        if following:
            cloud.completions.publish(*events.step_notices(current))
            told.add(current.place)
        for place in following:
            if not reached.get(place):  # else another task that it comes after led here before
                reached[place] = ended = _go_on(Task(run, plan, place, sweep, committed.adopted), manifests, cloud)
                todo += [ended] if isinstance(ended, Manifest) else []
    # Only now: a task may end as soon as it is queued, and then looks for the manifests of all that ended here.
    is_queued = [_queue(task, cloud) for task in reached.values() if isinstance(task, Task)]
    is_open = any(is_queued) or (None in reached.values() and len(todo) == 1)
    untold = [one for one in todo if one.place not in told]
    job = None if is_open else manifests.job()
    if job:  # a delivery of another branch may have been cut off before it published
        assured = {one.place for one in todo} | plan.told_before(todo[-1].place)
        untold += [one for one in job.manifests if one.place not in assured]
    _announce(untold, job, cloud)
    return any(is_queued)


def _go_on(task: Task, manifests: Manifests, cloud: Cloud) -> Manifest | Task | None:
    """The manifest of a task that needs no work, committed; else the task; None while it must wait."""
    if not all(manifests.find(place) for place in task.plan.before(task.place)):
        return None  # the last of its predecessors to end comes here again
    results = delivery.foregone(task, manifests)
    if results is None:
        return task
    name = ledger.manifest_name(task.run, task.plan, task.place)
    found = _commit(name, manifest.of_task(task, results, clock.now()), cloud)
    return found if isinstance(found, Manifest) else None


def _announce(untold: list[Manifest], job: Job | None, cloud: Cloud) -> None:
    """Publish in one request: the steps' notices that are due, and the job's notice where the job is complete."""
    notices = [notice for one in untold for notice in events.step_notices(one)]
    if job:
        notices.append(events.job_notice(job))
    if notices:
        cloud.completions.publish(*notices)
    if job:
        index.write(cloud.results, job)
