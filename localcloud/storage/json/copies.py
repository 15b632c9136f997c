"""Copy, rewrite and compose over the JSON API."""

from collections.abc import Mapping
from typing import Any

from localcloud.http import Answer, Request, json_answer
from localcloud.storage.data.store import Store
from localcloud.storage.errors import invalid, unsupported
from localcloud.storage.json.objects import show
from localcloud.storage.model import Draft, Object, Settings
from localcloud.storage.rules.conditions import check_write, number, query_conditions
from localcloud.storage.rules.names import check_object_name
from localcloud.storage.rules.objects import CLASS_CHANGED, DEFAULT_TYPE, object_settings
from localcloud.storage.rules.parameters import MAX_BODY_BYTES
from localcloud.storage.rules.resources import object_resource

MAX_SOURCES = 32


async def copy_object(store: Store, request: Request, *names: str) -> Answer:
    """POST /b/B/o/O/copyTo/b/B/o/O"""
    return show(await _copy(store, request, *names), request)


async def rewrite_object(store: Store, request: Request, *names: str) -> Answer:
    """POST /b/B/o/O/rewriteTo/b/B/o/O. One request completes it: no byte is copied."""
    new = await _copy(store, request, *names)
    sizes = {"totalBytesRewritten": str(new.size), "objectSize": str(new.size)}
    resource = object_resource(new, request.base)
    return json_answer({"kind": "storage#rewriteResponse", **sizes, "done": True, "resource": resource})


async def compose_object(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """POST /b/B/o/O/compose. As in Cloud Storage, the new object has no MD5."""
    body = await request.json(MAX_BODY_BYTES)
    if body.get("deleteSourceObjects"):
        raise unsupported("deleteSourceObjects")
    # `destination` may have checksums, but gcloud sends those of the first component: they are ignored.
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
    return show(store.put(draft, query_conditions(request.query), request.base), request)


async def _copy(store: Store, request: Request, bucket: str, name: str, to_bucket: str, to_name: str) -> Object:
    given = object_settings(await request.json(MAX_BODY_BYTES))
    source = store.find(bucket, name, number(request.query, "sourceGeneration"))
    check_write(query_conditions(request.query, "ifSource"), source.generation, source.metageneration)
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
    return store.put(draft, query_conditions(request.query), request.base)


def _copied_settings(source: Object, given: Settings) -> Settings:
    # Metadata in the request replaces all of the source's. A storage class alone does not count as metadata:
    # clients that send only that expect the rest to be copied.
    if given.keys() - {"storageClass"}:
        return {"contentType": DEFAULT_TYPE, **given}
    return {key: value for key, value in source.settings.items() if key not in {"storageClass", CLASS_CHANGED}} | given


def _sources(store: Store, bucket: str, listed: Any) -> list[Object]:
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_SOURCES:
        raise invalid(f"sourceObjects must name 1 to {MAX_SOURCES} objects.")
    return [_source(store, bucket, item) for item in listed]


def _source(store: Store, bucket: str, item: Any) -> Object:
    if not isinstance(item, Mapping):
        raise invalid("Each of sourceObjects must be an object.")
    wanted = {key: str(item[key]) for key in ("generation",) if item.get(key) is not None}
    found = store.find(bucket, check_object_name(item.get("name")), number(wanted, "generation"))
    demands = item.get("objectPreconditions") or {}
    if not isinstance(demands, Mapping):
        raise invalid("objectPreconditions must be an object.")
    conditions = query_conditions({key: str(value) for key, value in demands.items()})
    check_write(conditions, found.generation, found.metageneration)
    return found
