"""Notification of a bucket → File; manifest → CloudEvents. Pure.

Sources: Cloud Storage: Pub/Sub notifications; CloudEvents 1.0, Pub/Sub protocol binding, binary mode.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cloudevents.conversion import to_binary
from cloudevents.http import CloudEvent

from shared import naming
from shared.errors import BadRequest
from shared.manifest import Job, Manifest
from shared.model import File, Json, canonical

STEP_FINISHED = "sluice.step.finished.v1"
JOB_FINISHED = "sluice.job.finished.v1"

#: A number as Cloud Storage writes it: 64 bits.
_NUMBER = re.compile("[0-9]{1,19}")
#: Of content type and custom metadata together. Cloud Storage allows 8 KiB of metadata; a task has room for more.
MAX_DESCRIPTION_BYTES = 32 << 10
#: gcloud and gsutil upload a large file as parts with such names, compose them, and delete them.
_TEMPORARY = re.compile(r"(^|/)(gcloud|gsutil)/tmp/parallel_composite_uploads/")


@dataclass(frozen=True, slots=True)
class Ignored:
    """A notification that needs no work. `reason` is for the log and the status service."""

    reason: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A Pub/Sub message. Equal manifests give equal bytes."""

    data: bytes
    attributes: Mapping[str, str]


class MalformedEvent(BadRequest):
    """A message that is not a notification of Cloud Storage. A redelivery cannot help."""

    code = "malformed_event"


def pushed(body: bytes) -> Mapping[str, Any]:
    """The attributes and data of a push message. Raises `MalformedEvent` for a body that Pub/Sub never sends."""
    request = _parsed(body)
    message = request.get("message") if isinstance(request, dict) else None
    attributes = message.get("attributes") or {} if isinstance(message, dict) else None
    if not isinstance(attributes, dict) or not all(isinstance(value, str) for value in attributes.values()):
        raise MalformedEvent("not a Pub/Sub push message: a JSON object with the field message and its attributes, all text")
    assert isinstance(message, dict)
    if not isinstance(message.get("data", ""), str) or not (attributes or message.get("data")):
        raise MalformedEvent("not a Pub/Sub push message: it has no data, or data that is not text")
    return {"attributes": attributes, "data": message.get("data", "")}


def read(message: Mapping[str, Any], uploads_bucket: str) -> File | Ignored:
    """The uploaded file of a Pub/Sub message. Raises `MalformedEvent` for a message that Cloud Storage never sends."""
    attributes = message.get("attributes") or {}
    if not isinstance(attributes, Mapping):
        raise MalformedEvent("the message's attributes are not a JSON object: not a notification of Cloud Storage")
    bucket, kind = _attribute(attributes, "bucketId"), _attribute(attributes, "eventType")
    if kind != "OBJECT_FINALIZE":
        return Ignored(f"{kind} is not an upload")
    if bucket != uploads_bucket:
        return Ignored(f"bucket {bucket} is not the uploads bucket {uploads_bucket}")
    file = _file(attributes, _payload(message))
    return why_ignored(file) or file


def why_ignored(file: File) -> Ignored | None:
    """The reason to ignore this object: folder markers and parts of parallel uploads are not files. None for a file."""
    if file.size == 0 and (file.name.endswith("/") or file.content_type == "application/x-directory"):
        return Ignored("a folder marker")
    if _TEMPORARY.search(file.name):
        return Ignored("a temporary part of a parallel upload")
    return None


def _file(attributes: Mapping[str, Any], payload: Json) -> File:
    name, generation = _attribute(attributes, "objectId"), _attribute(attributes, "objectGeneration")
    if not naming.is_possible(name):
        raise MalformedEvent("attribute objectId is no name of an object: 1 to 1024 bytes of UTF-8")
    size, checksum = str(payload.get("size")), payload.get("crc32c")
    if isinstance(payload.get("size"), float) or not (_NUMBER.fullmatch(size) and isinstance(checksum, str)):
        raise MalformedEvent("the payload is not an object resource with size and crc32c (JSON_API_V1)")
    if not _NUMBER.fullmatch(generation) or int(generation) >= 1 << 63:
        raise MalformedEvent(f"attribute objectGeneration is {generation[:40]!r}, not a decimal number")
    content_type, metadata = _described(payload)
    return File(_attribute(attributes, "bucketId"), name, int(generation), int(size), content_type, checksum, metadata)


def _described(payload: Json) -> tuple[str, Mapping[str, str]]:
    """Content type and custom metadata: text. Anything else is left out, so that the file is still processed."""
    value, pairs = payload.get("contentType"), payload.get("metadata")
    content_type = value if isinstance(value, str) and value else "application/octet-stream"
    metadata = {key: text for key, text in (pairs if isinstance(pairs, dict) else {}).items() if isinstance(text, str)}
    if len(canonical({"type": content_type, **metadata})) > MAX_DESCRIPTION_BYTES:
        raise MalformedEvent("content type and custom metadata are longer than Cloud Storage allows, and than a task can carry")
    return content_type, metadata


def _attribute(attributes: Mapping[str, Any], name: str) -> str:
    value = attributes.get(name)
    if not isinstance(value, str) or not value:
        raise MalformedEvent(f"attribute {name} is missing: not a notification of Cloud Storage")
    return value


def _payload(message: Mapping[str, Any]) -> Json:
    try:
        payload = _parsed(base64.b64decode(message.get("data") or "", validate=True))
    except (binascii.Error, ValueError, TypeError):
        payload = None
    if not isinstance(payload, dict):
        raise MalformedEvent("the payload is not a JSON object; create the notification with payload-format=json")
    return payload


def _parsed(data: bytes) -> Any:
    """The value of this JSON; None for what is none, and for what is nested too deep or has too long a number."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def step_notices(manifest: Manifest) -> list[Notice]:
    """The notices of a manifest's steps, cut from its JSON."""
    job, time = manifest.body["job"], {"time": manifest.time}
    return [
        _notice(STEP_FINISHED, f"{job['job_id']}-{step['recipe_id']}", job | time | step, step=step["step"])
        for step in manifest.steps
    ]


def job_notice(job: Job) -> Notice:
    """The notice of a whole job, cut from the JSON of its manifests."""
    first = job.manifests[0].body
    steps = [step | {"time": manifest.time} for manifest in job.manifests for step in manifest.steps]
    why = {"reason": first.get("reason", ""), "message": first.get("message", "")}
    body = first["job"] | why | {"verdict": job.verdict, "time": job.time, "steps": steps}
    return _notice(JOB_FINISHED, body["job_id"], body)


def _notice(kind: str, event_id: str, body: Json, step: str = "") -> Notice:
    bucket, name = body["file"]["bucket"], body["file"]["name"]
    event = CloudEvent(
        {
            "type": kind,
            "id": event_id,
            "source": f"//storage.googleapis.com/{bucket}",
            "subject": body["job_id"],
            "time": body["time"],
            "datacontenttype": "application/json",
        },
        canonical(body),
    )
    headers, data = to_binary(event, lambda ready: ready)
    filters = {"verdict": body["verdict"], "step": step, "bucket": bucket, "name": name}
    return Notice(data, dict(headers) | {key: value for key, value in filters.items() if value})
