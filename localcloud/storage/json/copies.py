"""Objects made of other objects: copy, rewrite and compose."""

from collections.abc import Mapping
from typing import Any

from localcloud.storage.data.store import Store
from localcloud.storage.errors import invalid, unsupported
from localcloud.storage.http import Answer, Request, json_answer
from localcloud.storage.json.objects import show
from localcloud.storage.json.resources import object_resource
from localcloud.storage.model import Draft, Object, Settings
from localcloud.storage.rules.conditions import NONE, Conditions, number
from localcloud.storage.rules.header_fields import DEFAULT_TYPE
from localcloud.storage.rules.names import check_object_name
from localcloud.storage.rules.objects import CLASS_CHANGED, object_settings

MAX_SOURCES = 32


async def copy_object(store: Store, request: Request, *names: str) -> Answer:
    """POST /b/B/o/O/copyTo/b/B/o/O"""
    return show(await _copy(store, request, *names), request)


async def rewrite_object(store: Store, request: Request, *names: str) -> Answer:
    """POST /b/B/o/O/rewriteTo/b/B/o/O: always done in one step, for no byte is copied."""
    new = await _copy(store, request, *names)
    sizes = {"totalBytesRewritten": str(new.size), "objectSize": str(new.size)}
    resource = object_resource(new, request.base)
    return json_answer({"kind": "storage#rewriteResponse", **sizes, "done": True, "resource": resource})


async def compose_object(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """POST /b/B/o/O/compose; like Cloud Storage's, the new object has no MD5."""
    body = await request.json()
    if body.get("deleteSourceObjects"):
        raise unsupported("deleteSourceObjects")
    # gcloud puts the first component's checksums into `destination`: they say nothing about the whole.
    destination = body.get("destination") or {}
    if not isinstance(destination, Mapping):
        raise invalid("destination must be an object.")
    settings = object_settings(destination)
    sources = _sources(store, bucket, body.get("sourceObjects"))
    settings.setdefault("contentType", sources[0].settings.get("contentType", DEFAULT_TYPE))
    sink = await store.contents.concatenate([store.contents.of(source) for source in sources])
    draft = Draft(
        bucket,
        check_object_name(name),
        sink.content,
        sink.checksums.size,
        sink.checksums.crc32c,
        None,
        settings,
        sum(source.components or 1 for source in sources),
    )
    return show(store.put(draft, Conditions.from_query(request.query), request.base), request)


async def _copy(store: Store, request: Request, bucket: str, name: str, to_bucket: str, to_name: str) -> Object:
    given = object_settings(await request.json())
    source = store.find(bucket, name, number(request.query, "sourceGeneration"))
    Conditions.from_query(request.query, "ifSource").check_write(source.generation, source.metageneration)
    store.bucket(to_bucket)
    check_object_name(to_name)
    draft = Draft(
        to_bucket,
        to_name,
        store.contents.link(store.contents.of(source)),
        source.size,
        source.crc32c,
        source.md5,
        _copied_settings(source, given),
        source.components,
    )
    return store.put(draft, Conditions.from_query(request.query), request.base)


def _copied_settings(source: Object, given: Settings) -> Settings:
    # Any metadata in the request replaces all of the source's; without any it is copied.
    # The storage class is the new bucket's unless named; clients that only name it still mean the rest to be copied.
    if given.keys() - {"storageClass"}:
        return {"contentType": DEFAULT_TYPE, **given}
    return {key: value for key, value in source.settings.items() if key not in {"storageClass", CLASS_CHANGED}} | given


def _sources(store: Store, bucket: str, listed: Any) -> list[Object]:
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_SOURCES:
        raise invalid(f"sourceObjects must name 1 to {MAX_SOURCES} objects.")
    return [_source(store, bucket, item) for item in listed]


def _source(store: Store, bucket: str, item: Any) -> Object:
    if not isinstance(item, Mapping):
        raise invalid("Every one of sourceObjects must be an object.")
    wanted = {key: str(item[key]) for key in ("generation",) if item.get(key) is not None}
    found = store.find(bucket, check_object_name(item.get("name")), number(wanted, "generation"))
    demands = item.get("objectPreconditions") or {}
    if not isinstance(demands, Mapping):
        raise invalid("objectPreconditions must be an object.")
    demanded = {key: str(value) for key, value in demands.items()}
    conditions = Conditions.from_query(demanded) if demanded else NONE
    conditions.check_write(found.generation, found.metageneration)
    return found
