"""Uploads over the JSON API: media, multipart and resumable."""

from collections.abc import AsyncIterator
from urllib.parse import quote, urlencode

from localcloud.compression import gunzip
from localcloud.http import Answer, Request, empty_answer
from localcloud.storage.data.store import Store
from localcloud.storage.json.objects import show
from localcloud.storage.media import resumable
from localcloud.storage.media.mime import parse_related
from localcloud.storage.media.uploads import store_upload
from localcloud.storage.rules.conditions import number
from localcloud.storage.rules.intents import json_intent
from localcloud.storage.rules.names import check_bucket_name
from localcloud.storage.rules.parameters import MAX_BODY_BYTES


async def insert_media(store: Store, request: Request, bucket: str) -> Answer:
    """POST /upload/storage/v1/b/B/o?uploadType=media"""
    store.bucket(check_bucket_name(bucket))
    intent = json_intent(bucket, request.query, request.headers, {}, request.headers.get("content-type"))
    return show(await store_upload(store, intent, _media(request), request.base), request)


async def insert_multipart(store: Store, request: Request, bucket: str) -> Answer:
    """POST /upload/storage/v1/b/B/o?uploadType=multipart"""
    store.bucket(check_bucket_name(bucket))
    related = await parse_related(request.headers.get("content-type", ""), _media(request))
    intent = json_intent(bucket, request.query, request.headers, related.metadata, related.media_type)
    return show(await store_upload(store, intent, related.media, request.base), request)


async def start_session(store: Store, request: Request, bucket: str) -> Answer:
    """POST /upload/storage/v1/b/B/o?uploadType=resumable"""
    store.bucket(check_bucket_name(bucket))
    body = await request.json(MAX_BODY_BYTES)
    intent = json_intent(bucket, request.query, request.headers, body, request.headers.get("x-upload-content-type"))
    identity = resumable.start(store, intent, number(request.headers, "x-upload-content-length"))
    kept = {"fields": fields} if (fields := request.query.get("fields")) else {}
    query = urlencode({"uploadType": "resumable", "name": intent.name, **kept, "upload_id": identity}, quote_via=quote, safe="")
    location = f"{request.base}/upload/storage/v1/b/{bucket}/o?{query}"
    return empty_answer(200, (b"location", location.encode()), (b"x-guploader-uploadid", identity.encode()))


async def continue_session(store: Store, request: Request, _bucket: str) -> Answer:
    """PUT to the Location of a resumable upload."""
    session = store.uploads.session(request.query["upload_id"])
    outcome = await resumable.accept(store, session, request, _media(request))
    return resumable.incomplete(request, outcome) if isinstance(outcome, int) else show(outcome, request)


async def cancel_session(store: Store, request: Request, _bucket: str) -> Answer:
    """DELETE of the Location of a resumable upload."""
    resumable.cancel(store, store.uploads.session(request.query["upload_id"]))
    return empty_answer(499)


def _media(request: Request) -> AsyncIterator[bytes]:
    # `gsutil cp -J` compresses in transit only; an encoding of the object itself is metadata (`contentEncoding`).
    return gunzip(request.body) if request.is_gzipped else request.body
