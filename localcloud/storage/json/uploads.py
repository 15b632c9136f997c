"""Uploads over the JSON API: media, multipart and resumable."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

from localcloud.compression import gunzip
from localcloud.http import Answer, Request, empty_answer
from localcloud.storage.data.store import Store
from localcloud.storage.json.objects import show
from localcloud.storage.media import resumable
from localcloud.storage.media.mime import parse_related
from localcloud.storage.media.uploads import store_upload
from localcloud.storage.model import Intent
from localcloud.storage.rules.checksums import claims
from localcloud.storage.rules.conditions import number, query_conditions
from localcloud.storage.rules.names import check_bucket_name, check_object_name
from localcloud.storage.rules.objects import DEFAULT_TYPE, object_settings
from localcloud.storage.rules.parameters import MAX_BODY_BYTES


async def insert_media(store: Store, request: Request, bucket: str) -> Answer:
    """POST /upload/storage/v1/b/B/o?uploadType=media"""
    store.bucket(check_bucket_name(bucket))
    intent = _intent(request, bucket, {}, request.headers.get("content-type"))
    return show(await store_upload(store, intent, _media(request), request.base), request)


async def insert_multipart(store: Store, request: Request, bucket: str) -> Answer:
    """POST /upload/storage/v1/b/B/o?uploadType=multipart"""
    store.bucket(check_bucket_name(bucket))
    related = await parse_related(request.headers.get("content-type", ""), _media(request))
    intent = _intent(request, bucket, related.metadata, related.media_type)
    return show(await store_upload(store, intent, related.media, request.base), request)


async def start_session(store: Store, request: Request, bucket: str) -> Answer:
    """POST /upload/storage/v1/b/B/o?uploadType=resumable"""
    store.bucket(check_bucket_name(bucket))
    body = await request.json(MAX_BODY_BYTES)
    intent = _intent(request, bucket, body, request.headers.get("x-upload-content-type"))
    identity = resumable.start(store, intent, number(request.headers, "x-upload-content-length"))
    query = f"uploadType=resumable&name={quote(intent.name, safe='')}&upload_id={identity}"
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


def _intent(request: Request, bucket: str, body: Mapping[str, Any], media_type: str | None) -> Intent:
    """The intent in the query's name and conditions, and in the resource's fields and checksums."""
    settings = object_settings(body)
    if encoding := request.query.get("contentEncoding"):
        settings.setdefault("contentEncoding", encoding)
    settings.setdefault("contentType", media_type or DEFAULT_TYPE)
    claimed = claims(request.headers)
    claimed |= {kind: str(body[key]) for kind, key in (("crc32c", "crc32c"), ("md5", "md5Hash")) if body.get(key)}
    name = check_object_name(request.query.get("name") or body.get("name"))
    return Intent(bucket, name, settings, claimed, query_conditions(request.query))


def _media(request: Request) -> AsyncIterator[bytes]:
    # `gsutil cp -J` compresses in transit only; an encoding of the object itself is metadata (`contentEncoding`).
    return gunzip(request.body) if request.is_gzipped else request.body
