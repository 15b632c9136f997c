"""Notification configurations over the JSON API."""

from dataclasses import replace

from localcloud.http import Answer, Request, empty_answer, json_answer
from localcloud.storage.data.store import Store
from localcloud.storage.errors import StorageError
from localcloud.storage.model import Settings
from localcloud.storage.rules.notifications import configuration_resource, parse_configuration
from localcloud.storage.rules.parameters import MAX_BODY_BYTES


async def create_configuration(store: Store, request: Request, name: str) -> Answer:
    """POST /b/B/notificationConfigs"""
    body = await request.json(MAX_BODY_BYTES)
    bucket = store.bucket(name)
    identity = str(max((int(known["id"]) for known in bucket.notifications), default=0) + 1)
    configuration = parse_configuration(body, identity)
    store.save_bucket(replace(bucket, notifications=(*bucket.notifications, configuration)))
    return json_answer(configuration_resource(configuration, name, request.base))


async def list_configurations(store: Store, request: Request, name: str) -> Answer:
    """GET /b/B/notificationConfigs"""
    items = [configuration_resource(known, name, request.base) for known in store.bucket(name).notifications]
    return json_answer({"kind": "storage#notifications", **({"items": items} if items else {})})


async def get_configuration(store: Store, request: Request, name: str, identity: str) -> Answer:
    """GET /b/B/notificationConfigs/ID"""
    return json_answer(configuration_resource(_find(store, name, identity), name, request.base))


async def delete_configuration(store: Store, _request: Request, name: str, identity: str) -> Answer:
    """DELETE /b/B/notificationConfigs/ID"""
    deleted = _find(store, name, identity)
    bucket = store.bucket(name)
    store.save_bucket(replace(bucket, notifications=tuple(known for known in bucket.notifications if known is not deleted)))
    return empty_answer(204)


def _find(store: Store, bucket: str, identity: str) -> Settings:
    for known in store.bucket(bucket).notifications:
        if known["id"] == identity:
            return known
    raise StorageError(404, "notFound", f"The specified notification configuration does not exist: {identity}")
