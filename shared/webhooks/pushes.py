"""A pushed notice → a task for each webhook that wants it. Repeats are harmless: the names of tasks are stable."""

import base64
import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from shared import events, ledger, log
from shared.cloud.protocols import Bucket, Cloud
from shared.errors import Unavailable
from shared.model import File, Json, Place, Run
from shared.webhooks.deliveries import EVENT_ID, JOB, STEP, Delivery

_KINDS = {events.JOB_FINISHED: JOB, events.STEP_FINISHED: STEP}
#: Limit of a push: a message has at most 10 MB, and base64 makes it longer by a third.
MAX_PUSH_BYTES = 14 << 20
#: The name of a manifest beside job.json.
_BESIDE = re.compile(r"([0-9]{1,9})-(.+)\.json")


class Pushed(NamedTuple):
    """A pushed notice: its kind, its ce-id, the verdict, and its data in base64."""

    kind: str
    event: str
    verdict: str
    data: str


def receive(body: Json, cloud: Cloud, now: Callable[[], float] = time.time) -> None:
    """Queue the deliveries of a pushed message. Returns when it needs no other push, else raises `Unavailable`."""
    notice = _notice(body)
    if notice is None:
        log.warning("ignored a message that is no notice of ours")
        return
    wanting = [webhook for webhook in cloud.routes.webhooks.values() if webhook.wants(notice.kind, notice.verdict)]
    if not wanting:
        return
    run = _run(notice)
    if run is None or run.file.bucket != cloud.settings.uploads_bucket:
        log.warning("ignored a notice without a file of ours", event=notice.event)
        return
    log.bind(object=run.file.name, job=run.job_id, event=notice.event)
    log.follow(run.job_id, "notifier", notice.event)
    names = manifests(cloud.results, run)
    if names:
        first = Delivery("", notice.kind, notice.event, names, int(now()))
        _queue([replace(first, webhook=webhook.name) for webhook in wanting], cloud)
    else:
        log.error("no webhook gets a notice whose manifests are gone")


def _notice(body: Json) -> Pushed | None:
    message = body.get("message")
    attributes = message.get("attributes") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(attributes, dict):
        return None
    kind = _KINDS.get(str(attributes.get("ce-type")))
    event, verdict, data = (str(value) for value in (attributes.get("ce-id"), attributes.get("verdict"), message.get("data")))
    return Pushed(kind, event, verdict, data) if kind and re.fullmatch(EVENT_ID, event) else None


def _run(notice: Pushed) -> Run | None:
    """The run of the file that the notice is about, or None where its data are none of ours."""
    try:
        body: Any = json.loads(base64.b64decode(notice.data, validate=True))
        run = Run(File.from_json(body["file"]), int(body["run"]))
        return run if run.file.file_id == body["file_id"] else None
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
        return None


def manifests(results: Bucket, run: Run) -> tuple[str, ...]:
    """The objects of this run's manifests in the order of their tasks, with `job.json` first, which may be a plan."""
    folder = ledger.folder(run)
    found = {_place(name.removeprefix(folder)): name for name in results.names(folder)}
    return tuple(name for place, name in sorted(found.items()) if place.stage >= 0)


def _place(name: str) -> Place:
    """The place of the task with this manifest; stage -1 for another object."""
    if name == "job.json":
        return Place(0, "")  # it is the first task's where it is a manifest
    beside = _BESIDE.fullmatch(name)
    return Place(int(beside[1]), beside[2]) if beside else Place(-1, name)


def _queue(deliveries: Iterable[Delivery], cloud: Cloud) -> None:
    """Queue all of them: a queue that does not answer keeps no other webhook waiting. Raises its `Unavailable` then."""
    failed = None
    for delivery in deliveries:
        try:
            is_new = cloud.queue.add(delivery)
            log.info("queued for a webhook" if is_new else "already queued for a webhook", webhook=delivery.webhook)
        except Unavailable as error:
            log.warning("not queued for a webhook; Pub/Sub will push again", webhook=delivery.webhook, error=error.message)
            failed = error
    if failed:
        raise failed
