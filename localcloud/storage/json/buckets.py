"""Buckets over the JSON API."""

from dataclasses import replace
from typing import Any

from localcloud.http import Answer, Request, empty_answer, json_answer
from localcloud.storage.data.store import Store
from localcloud.storage.model import NO_PROJECT, Bucket, Settings
from localcloud.storage.rules.buckets import MERGED, bucket_settings
from localcloud.storage.rules.conditions import check_read, check_write, number, query_conditions
from localcloud.storage.rules.listing import decode_token, encode_token
from localcloud.storage.rules.locations import with_location_of
from localcloud.storage.rules.names import check_bucket_name
from localcloud.storage.rules.objects import patched
from localcloud.storage.rules.parameters import MAX_BODY_BYTES
from localcloud.storage.rules.resources import bucket_resource, project_number

_PAGE = 1000


async def create_bucket(store: Store, request: Request) -> Answer:
    """POST /b"""
    body = await request.json(MAX_BODY_BYTES)
    name = check_bucket_name(str(body.get("name") or ""))
    settings = patched({}, bucket_settings(body), MERGED)
    return _show(store.make_bucket(name, request.query.get("project", ""), settings), request)


async def list_buckets(store: Store, request: Request) -> Answer:
    """GET /b"""
    query = request.query
    project, prefix, after = query.get("project", ""), query.get("prefix", ""), decode_token(query.get("pageToken", ""))
    names = sorted(
        name
        for name, bucket in store.buckets.items()
        if name.startswith(prefix) and name > after[0] and (project in NO_PROJECT or _belongs(bucket, project))
    )
    limit = min(number(query, "maxResults") or _PAGE, _PAGE)
    items = [bucket_resource(store.buckets[name], request.base) for name in names[:limit]]
    answer: dict[str, Any] = {"kind": "storage#buckets", "items": items}
    if len(names) > limit:
        answer["nextPageToken"] = encode_token((names[limit - 1], 0))
    return json_answer(answer)


async def get_bucket(store: Store, request: Request, name: str) -> Answer:
    """GET /b/B"""
    bucket = store.bucket(name)
    check_read(query_conditions(request.query), 0, bucket.metageneration)
    return _show(bucket, request)


async def patch_bucket(store: Store, request: Request, name: str) -> Answer:
    """PATCH /b/B"""
    body = await request.json(MAX_BODY_BYTES)
    given = bucket_settings(body) | {key: None for key, value in body.items() if value is None}
    return _replace(store, request, store.bucket(name), patched(store.bucket(name).settings, given, MERGED))


async def put_bucket(store: Store, request: Request, name: str) -> Answer:
    """PUT /b/B"""
    return _replace(
        store, request, store.bucket(name), patched({}, bucket_settings(await request.json(MAX_BODY_BYTES)), MERGED)
    )


async def delete_bucket(store: Store, request: Request, name: str) -> Answer:
    """DELETE /b/B"""
    check_write(query_conditions(request.query), 0, store.bucket(name).metageneration)
    store.delete_bucket(name)
    return empty_answer(204)


async def storage_layout(store: Store, request: Request, name: str) -> Answer:
    """GET /b/B/storageLayout; gcloud needs it to copy folders."""
    shown = bucket_resource(store.bucket(name), request.base)
    fields = {"bucket": name, "location": shown["location"], "locationType": shown["locationType"]}
    return json_answer({"kind": "storage#storageLayout", **fields, "hierarchicalNamespace": {"enabled": False}})


async def list_folders(store: Store, request: Request, name: str) -> Answer:
    """GET /b/B/managedFolders and /b/B/folders: always empty. gcloud asks before it deletes a bucket."""
    store.bucket(name)
    return json_answer({"kind": "storage#folders" if request.path.endswith("/folders") else "storage#managedFolders"})


def _replace(store: Store, request: Request, bucket: Bucket, settings: Settings) -> Answer:
    check_write(query_conditions(request.query), 0, bucket.metageneration)
    settings = with_location_of(bucket.settings, settings)
    changed = replace(bucket, settings=settings, metageneration=bucket.metageneration + 1, updated=store.clock.time())
    return _show(store.save_bucket(changed), request)


def _show(bucket: Bucket, request: Request) -> Answer:
    return json_answer(bucket_resource(bucket, request.base))


def _belongs(bucket: Bucket, project: str) -> bool:
    return project in {bucket.project, project_number(bucket.project)}
