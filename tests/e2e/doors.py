"""Uploads through the three doors, repeated until they are accepted, as clients do while services restart."""

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import requests
from google.api_core.exceptions import PreconditionFailed
from google.cloud.storage import Bucket
from google.cloud.storage.retry import DEFAULT_RETRY

from tests.eventually import eventually

SECONDS = 240
#: Google's clients pause for up to a minute, and so miss a service that is back for a while.
RETRY = DEFAULT_RETRY.with_delay(initial=0.2, maximum=2).with_timeout(SECONDS)


class Stack(Protocol):
    """A running stack, as the doors see it."""

    def url(self, name: str, /) -> str:
        """Base URL of a function."""


@dataclass(frozen=True)
class Upload:
    """A file to send, with its own idempotency key."""

    name: str
    data: bytes
    metadata: Mapping[str, str] = field(default_factory=dict)
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    content_type: str = "image/jpeg"


def to_bucket(upload: Upload, machine: Stack, bucket: Bucket) -> str:
    """Store an object, as gsutil does."""
    blob = bucket.blob(upload.name)
    blob.metadata = dict(upload.metadata)
    with suppress(PreconditionFailed):  # the answer to an earlier try was lost
        blob.upload_from_string(upload.data, content_type=upload.content_type, if_generation_match=0, retry=RETRY)
    return upload.name


def to_upload_service(upload: Upload, machine: Stack, bucket: Bucket) -> str:
    """Put the bytes to the Upload Service."""
    headers = {"Idempotency-Key": upload.key, "Content-Type": upload.content_type, **_headers(upload)}
    answer = _until_accepted(
        lambda: requests.put(f"{machine.url('upload')}/{upload.name}", upload.data, headers=headers, timeout=30)
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["object"])


def to_form(upload: Upload, machine: Stack, bucket: Bucket) -> str:
    """Post a form to the Upload Service, as `curl -F` does."""
    part = {"file": (upload.name, upload.data, upload.content_type)}
    headers = {"Idempotency-Key": upload.key, **_headers(upload)}
    answer = _until_accepted(lambda: requests.post(machine.url("upload"), files=part, headers=headers, timeout=30))
    assert answer.status_code == 202, answer.text
    return str(answer.json()["object"])


def to_signed_url(upload: Upload, machine: Stack, bucket: Bucket) -> str:
    """Ask the issuer for a URL, and put the bytes there."""
    wanted = {"name": upload.name, "content_type": upload.content_type, "metadata": dict(upload.metadata)}
    headers = {"Idempotency-Key": upload.key}
    answer = _until_accepted(lambda: requests.post(machine.url("issuer"), json=wanted, headers=headers, timeout=30))
    assert answer.ok, answer.text
    ticket = answer.json()
    stored = _until_accepted(lambda: requests.put(ticket["url"], upload.data, headers=ticket["headers"], timeout=30))
    assert stored.status_code in (200, 412), stored.text  # 412: the answer to an earlier try was lost
    return str(ticket["object"])


Door = Callable[[Upload, Stack, Bucket], str]
DOORS: tuple[Door, ...] = (to_bucket, to_upload_service, to_signed_url)


def _headers(upload: Upload) -> dict[str, str]:
    return {f"x-goog-meta-{key}": value for key, value in upload.metadata.items()}


def _until_accepted(send: Callable[[], requests.Response]) -> requests.Response:
    def sent() -> requests.Response | None:
        try:
            answer = send()
        except requests.RequestException:
            return None
        return answer if answer.status_code not in (429, 500, 502, 503) else None

    def look() -> tuple[requests.Response, ...]:
        answer = sent()
        return () if answer is None else (answer,)  # `Response` is false for an error, which is an answer all the same

    (answer,) = eventually(look, "an open door", seconds=SECONDS, pause_seconds=0.2)
    return answer
