"""Objects over the JSON API, all but the way of their bytes in and out."""

from typing import Any

from localcloud.storage.data.listing import list_page, parse_query
from localcloud.storage.data.store import Store
from localcloud.storage.http import Answer, Request, empty_answer, json_answer
from localcloud.storage.json.resources import etag, object_resource
from localcloud.storage.model import Object
from localcloud.storage.rules.conditions import Conditions, number
from localcloud.storage.rules.objects import changed_settings, object_settings, patched

_MERGED = frozenset({"metadata"})


async def list_objects(store: Store, request: Request, bucket: str) -> Answer:
    """GET /b/B/o"""
    store.bucket(bucket)
    versions = request.flag("versions")
    page = list_page(parse_query(request), lambda cursor, limit: store.page(bucket, cursor, versions, limit))
    answer: dict[str, Any] = {"kind": "storage#objects"}
    if page.token:
        answer["nextPageToken"] = page.token
    if page.prefixes:
        answer["prefixes"] = page.prefixes
    if page.items:
        answer["items"] = [object_resource(item, request.base) for item in page.items]
    return json_answer(answer)


async def patch_object(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """PATCH /b/B/o/O"""
    body = await request.json()
    found = find(store, request, bucket, name)
    metadata = body.get("metadata")
    removed = {key for key, value in metadata.items() if value is None} if isinstance(metadata, dict) else set()
    if isinstance(metadata, dict):
        body["metadata"] = {key: value for key, value in metadata.items() if value is not None}
    given = object_settings(body) | {key: None for key, value in body.items() if value is None}
    if removed:
        given["metadata"] = given.get("metadata", {}) | dict.fromkeys(removed)
    return _update(store, request, found, patched(found.settings, given, _MERGED))


async def put_object(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """PUT /b/B/o/O: replace all that can be set."""
    body = await request.json()
    return _update(store, request, find(store, request, bucket, name), object_settings(body))


async def delete_object(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """DELETE /b/B/o/O"""
    generation = number(request.query, "generation")
    store.delete(bucket, name, generation, Conditions.from_query(request.query), request.base)
    return empty_answer(204)


def find(store: Store, request: Request, bucket: str, name: str) -> Object:
    """The object that a request names, in the generation it names."""
    return store.find(bucket, name, number(request.query, "generation"))


def show(stored: Object, request: Request) -> Answer:
    """The answer that shows an object's resource."""
    return json_answer(object_resource(stored, request.base), etag=etag(stored.generation, stored.metageneration))


def _update(store: Store, request: Request, found: Object, settings: dict[str, Any]) -> Answer:
    allowed = changed_settings(found.settings, settings)
    changed = store.update(found, Conditions.from_query(request.query), allowed, request.base)
    return show(changed, request)
