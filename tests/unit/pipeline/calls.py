"""The notification of an upload, deliveries by the fake queue, and what the pipeline left in the fake cloud."""

import base64
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared import pipeline
from shared.events import Notice
from shared.model import File
from shared.plan import Task
from shared.testing import FakeCloud

Uploaded = Callable[..., File]


def message(file: File, **changed: str) -> dict[str, Any]:
    payload: dict[str, Any] = {"size": str(file.size), "contentType": file.content_type, "crc32c": file.crc32c}
    payload |= {"metadata": dict(file.metadata)} if file.metadata else {}
    attributes = {"eventType": "OBJECT_FINALIZE", "bucketId": file.bucket, "objectId": file.name}
    numbered = {"objectGeneration": str(file.generation)}
    return {"attributes": attributes | numbered | changed, "data": base64.b64encode(json.dumps(payload).encode()).decode()}


def only_task(cloud: FakeCloud) -> Task:
    (task,) = cloud.queue.added.values()
    return task


def deliver_all(cloud: FakeCloud) -> list[str]:
    """Deliver every queued task once, also those that are queued meanwhile; `<stage>-<queue>` of each, in order."""
    delivered: list[str] = []
    while waiting := [task for number, task in enumerate(cloud.queue.added.values()) if number >= len(delivered)]:
        delivered.append(str(waiting[0].place))
        pipeline.process(waiting[0], 1, cloud)
    return delivered


def manifests(cloud: FakeCloud) -> list[Mapping[str, Any]]:
    """Every manifest and plan, by its object's name."""
    return list(ledger(cloud).values())


def ledger(cloud: FakeCloud) -> dict[str, Mapping[str, Any]]:
    """Every manifest and plan by the last part of its object's name."""
    names = list(cloud.results.names("jobs/"))
    return {name.rpartition("/")[2]: json.loads(cloud.results.read(name) or b"") for name in names}


def verdicts(cloud: FakeCloud) -> dict[str, str]:
    """The verdict of each step that has one."""
    return {step["step"]: step["verdict"] for one in manifests(cloud) for step in one.get("steps", ())}


def told(cloud: FakeCloud) -> Counter[str]:
    """The number of notices of each step, by its name, and of the job, by `job`."""
    return Counter(notice.attributes.get("step", "job") for notice in cloud.completions.notices)


def bytes_by_id(cloud: FakeCloud) -> dict[str, Notice]:
    """One notice of each `ce-id`, after a check that all of that id are equal."""
    notices = {notice.attributes["ce-id"]: notice for notice in cloud.completions.notices}
    assert all(notice == notices[notice.attributes["ce-id"]] for notice in cloud.completions.notices)
    return notices


@dataclass
class Counted:
    """A part of the fake cloud, with the calls of its methods."""

    part: Any
    calls: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.part, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            self.calls.append(name)
            return found(*arguments, **options)

        return call
