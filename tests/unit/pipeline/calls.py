"""The notification of an upload, and what the pipeline left in the fake cloud."""

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

from shared.model import File, Task
from shared.testing import FakeCloud

Uploaded = Callable[..., File]


def message(file: File, **changed: str) -> dict[str, Any]:
    payload = {"size": str(file.size), "contentType": file.content_type, "crc32c": file.crc32c}
    attributes = {"eventType": "OBJECT_FINALIZE", "bucketId": file.bucket, "objectId": file.name}
    numbered = {"objectGeneration": str(file.generation)}
    return {"attributes": attributes | numbered | changed, "data": base64.b64encode(json.dumps(payload).encode()).decode()}


def only_task(cloud: FakeCloud) -> Task:
    (task,) = cloud.queue.tasks.values()
    return task


def manifests(cloud: FakeCloud) -> list[Mapping[str, Any]]:
    return [json.loads(cloud.results.read(name) or b"") for name in list(cloud.results.names("jobs/"))]
