"""Objects over the JSON API: their resources, lists and downloads."""

from typing import Any

from localcloud.http import Answer, Request, empty_answer, json_answer
from localcloud.storage.data.store import Store
from localcloud.storage.errors import unsupported
from localcloud.storage.media.downloads import check_http_conditions, media_answer, object_headers
from localcloud.storage.model import Object
from localcloud.storage.rules.conditions import check_read, number, query_conditions
from localcloud.storage.rules.globs import Glob
from localcloud.storage.rules.listing import MAX_RESULTS, Query, decode_token, list_page
from localcloud.storage.rules.objects import changed_settings, object_settings, patched
from localcloud.storage.rules.parameters import MAX_BODY_BYTES
from localcloud.storage.rules.resources import etag, object_resource

_MERGED = frozenset({"metadata"})


async def list_objects(store: Store, request: Request, bucket: str) -> Answer:
    """GET /b/B/o"""
    store.bucket(bucket)
    versions = request.flag("versions")
    page = list_page(_query(request), lambda cursor, limit: store.objects.page(bucket, cursor, versions, limit))
    answer: dict[str, Any] = {"kind": "storage#objects"}
    if page.token:
        answer["nextPageToken"] = page.token
    if page.prefixes:
        answer["prefixes"] = page.prefixes
    if page.items:
        answer["items"] = [object_resource(item, request.base) for item in page.items]
    return json_answer(answer)


async def get_object(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """GET /b/B/o/O"""
    found = _find(store, request, bucket, name)
    _check_conditions(request, found)
    return show(found, request)


async def download_object(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """GET /b/B/o/O?alt=media, GET /download/storage/v1/b/B/o/O"""
    found = _find(store, request, bucket, name)
    tag = _check_conditions(request, found)
    headers = object_headers(found)
    headers.append((b"etag", tag.encode()))
    headers.append((b"cache-control", b"no-cache, no-store, max-age=0, must-revalidate"))
    return await media_answer(store, found, request, headers)


async def patch_object(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """PATCH /b/B/o/O"""
    body = await request.json(MAX_BODY_BYTES)
    found = _find(store, request, bucket, name)
    metadata = body.get("metadata")
    removed = {key for key, value in metadata.items() if value is None} if isinstance(metadata, dict) else set()
    if isinstance(metadata, dict):
        body["metadata"] = {key: value for key, value in metadata.items() if value is not None}
    given = object_settings(body) | {key: None for key, value in body.items() if value is None}
    if removed:
        given["metadata"] = given.get("metadata", {}) | dict.fromkeys(removed)
    return _update(store, request, found, patched(found.settings, given, _MERGED))


async def put_object(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """PUT /b/B/o/O: replaces all settable fields."""
    body = await request.json(MAX_BODY_BYTES)
    return _update(store, request, _find(store, request, bucket, name), object_settings(body))


async def delete_object(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """DELETE /b/B/o/O"""
    generation = number(request.query, "generation")
    store.delete(bucket, name, generation, query_conditions(request.query), request.base)
    return empty_answer(204)


def show(stored: Object, request: Request) -> Answer:
    """The answer with an object's resource."""
    resource = object_resource(stored, request.base)
    return json_answer(resource, 200, (b"etag", resource["etag"].encode()))


def _find(store: Store, request: Request, bucket: str, name: str) -> Object:
    return store.find(bucket, name, number(request.query, "generation"))


def _check_conditions(request: Request, found: Object) -> str:
    """412 or 304 for an unmet condition. Returns the object's entity tag."""
    tag = etag(found.generation, found.metageneration)
    check_read(query_conditions(request.query), found.generation, found.metageneration)
    check_http_conditions(found, tag, request.headers)
    return tag


def _update(store: Store, request: Request, found: Object, settings: dict[str, Any]) -> Answer:
    allowed = changed_settings(found.settings, settings)
    changed = store.update(found, query_conditions(request.query), allowed, request.base)
    return show(changed, request)


def _query(request: Request) -> Query:
    """The parameters of `objects.list`; 400 for a malformed one."""
    query = request.query
    if request.flag("softDeleted"):
        raise unsupported("softDeleted")
    prefix = query.get("prefix", "")
    limit = number(query, "maxResults")
    start = max(prefix, query.get("startOffset", ""))
    return Query(
        prefix,
        query.get("delimiter", ""),
        query.get("endOffset", ""),
        Glob(query["matchGlob"]) if query.get("matchGlob") else None,
        request.flag("includeTrailingDelimiter"),
        min(limit or MAX_RESULTS, MAX_RESULTS),
        max((start, -1), decode_token(query.get("pageToken", ""))),
    )
