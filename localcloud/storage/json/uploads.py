"""Uploads over the JSON API: media, multipart and resumable."""

from collections.abc import AsyncIterator
from urllib.parse import quote

from localcloud.compression import gunzip
from localcloud.storage.data.store import Store
from localcloud.storage.errors import invalid
from localcloud.storage.http import Answer, Request, empty_answer
from localcloud.storage.json.objects import show
from localcloud.storage.media.multipart import parse_related
from localcloud.storage.media.resumable import Sessions
from localcloud.storage.media.uploads import json_intent, store_upload
from localcloud.storage.model import Object
from localcloud.storage.rules.conditions import number
from localcloud.storage.rules.names import check_bucket_name


async def upload(store: Store, sessions: Sessions, request: Request, bucket: str) -> Answer:
    """Any request to /upload/storage/v1/b/B/o"""
    kind = request.query.get("uploadType", "")
    if "upload_id" in request.query:
        return await continue_upload(sessions, request)
    if request.method != "POST":
        raise invalid(f"Method {request.method} needs an upload_id.", "MethodNotAllowed")
    store.bucket(check_bucket_name(bucket))
    if kind == "resumable":
        return await _start(sessions, request, bucket)
    if kind not in SIMPLE:
        raise invalid(f"Invalid uploadType {kind[:20]!r}: resumable, {' or '.join(SIMPLE)}.")
    return show(await SIMPLE[kind](store, request, bucket), request)


async def continue_upload(sessions: Sessions, request: Request) -> Answer:
    """A request to the Location of a resumable upload."""
    identity = request.query["upload_id"]
    if request.method == "DELETE":
        sessions.cancel(identity)
        return empty_answer(499)
    outcome = await sessions.accept(identity, request, _media(request))
    return incomplete(outcome) if isinstance(outcome, int) else show(outcome, request)


def incomplete(received: int) -> Answer:
    """308: so much has arrived. Without a single byte there is no Range to name."""
    return empty_answer(308, *([(b"range", f"bytes=0-{received - 1}".encode())] if received else []))


async def _start(sessions: Sessions, request: Request, bucket: str) -> Answer:
    intent = json_intent(request, bucket, await request.json(), request.headers.get("x-upload-content-type"))
    identity = sessions.start(intent, number(request.headers, "x-upload-content-length"))
    query = f"uploadType=resumable&name={quote(intent.name, safe='')}&upload_id={identity}"
    location = f"{request.base}/upload/storage/v1/b/{bucket}/o?{query}"
    return empty_answer(200, (b"location", location.encode()), (b"x-guploader-uploadid", identity.encode()))


async def _whole(store: Store, request: Request, bucket: str) -> Object:
    intent = json_intent(request, bucket, {}, request.headers.get("content-type"))
    return await store_upload(store, intent, _media(request), request.base)


async def _multipart(store: Store, request: Request, bucket: str) -> Object:
    related = await parse_related(request.headers.get("content-type", ""), _media(request))
    intent = json_intent(request, bucket, related.metadata, related.media_type)
    return await store_upload(store, intent, related.media, request.base)


def _media(request: Request) -> AsyncIterator[bytes]:
    # `gsutil cp -J` compresses on the way only; the object's own encoding is metadata.
    if request.headers.get("content-encoding", "").lower() == "gzip":
        return gunzip(request.body)
    return request.body


#: Uploads in one request.
SIMPLE = {"media": _whole, "multipart": _multipart}
