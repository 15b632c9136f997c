"""Copy, rewrite, move and compose over the JSON API."""

from collections.abc import Mapping, Sequence
from typing import Any

from localcloud.http import Answer, Request, json_answer
from localcloud.storage.data.store import Store
from localcloud.storage.errors import invalid, unsupported
from localcloud.storage.json.objects import show
from localcloud.storage.media.copies import copy, settings_of
from localcloud.storage.model import Draft, Object, Settings
from localcloud.storage.rules.conditions import check_write, number, query_conditions
from localcloud.storage.rules.names import check_object_name
from localcloud.storage.rules.objects import DEFAULT_TYPE, object_settings
from localcloud.storage.rules.parameters import MAX_BODY_BYTES
from localcloud.storage.rules.resources import object_resource
from localcloud.storage.rules.rewrites import next_step

MAX_SOURCES = 32


async def copy_object(store: Store, request: Request, *names: str) -> Answer:
    """POST /b/B/o/O/copyTo/b/B/o/O"""
    given = object_settings(await request.json(MAX_BODY_BYTES))
    return show(_copy(store, request, _found(store, request, *names[:2]), names[2:], given), request)


async def rewrite_object(store: Store, request: Request, *names: str) -> Answer:
    """POST /b/B/o/O/rewriteTo/b/B/o/O. The bytes appear at the end of the last call."""
    given = object_settings(await request.json(MAX_BODY_BYTES))
    source = _found(store, request, *names[:2])
    answer: dict[str, Any] = {"kind": "storage#rewriteResponse", "objectSize": str(source.size)}
    moves = _moves(store, source, names[2], given)
    done, token = next_step(request.query, source, (*names[2:], given), moves, store.rewrites)
    answer |= {"totalBytesRewritten": str(done), "done": not token}
    if token:
        return json_answer(answer | {"rewriteToken": token})
    new = _copy(store, request, source, names[2:], given)
    return json_answer(answer | {"resource": object_resource(new, request.base)})


async def move_object(store: Store, request: Request, bucket: str, name: str, to_name: str) -> Answer:
    """POST /b/B/o/O/moveTo/o/O: a rename within a bucket, in one transaction."""
    if await request.json(MAX_BODY_BYTES):
        raise unsupported("a body of objects.move")
    if "sourceGeneration" in request.query:
        raise unsupported(
            "sourceGeneration of objects.move: it moves the live object; ifSourceGenerationMatch names which that is"
        )
    source = _found(store, request, bucket, name)
    if name == to_name:
        raise invalid("The source and the destination of a move must have different names.")
    conditions = query_conditions(request.query)
    return show(copy(store, source, (bucket, to_name), source.settings, conditions, request.base, is_move=True), request)


async def compose_object(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """POST /b/B/o/O/compose. As in Cloud Storage, the new object has no MD5, and only the given content type."""
    body = await request.json(MAX_BODY_BYTES)
    if body.get("deleteSourceObjects"):
        raise unsupported("deleteSourceObjects")
    # `destination` may have checksums, but gcloud sends those of the first component: they are ignored.
    destination = body.get("destination") or {}
    if not isinstance(destination, Mapping):
        raise invalid("destination must be an object.")
    settings, conditions = object_settings(destination), query_conditions(request.query)
    sources = _sources(store, bucket, body.get("sourceObjects"))
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
    return show(store.put(draft, conditions, request.base), request)


def _found(store: Store, request: Request, bucket: str, name: str) -> Object:
    source = store.find(bucket, name, number(request.query, "sourceGeneration"))
    check_write(query_conditions(request.query, "ifSource"), source.generation, source.metageneration)
    return source


def _copy(store: Store, request: Request, source: Object, destination: Sequence[str], given: Settings) -> Object:
    # Metadata in the request replaces all of the source's. A storage class alone does not count as metadata:
    # clients that send only that expect the rest to be copied.
    is_replaced = given.keys() - {"storageClass"}
    settings = {"contentType": DEFAULT_TYPE, **given} if is_replaced else settings_of(source) | given
    bucket, name = destination
    return copy(store, source, (bucket, name), settings, query_conditions(request.query), request.base)


def _moves(store: Store, source: Object, to_bucket: str, given: Settings) -> bool:
    """Whether a rewrite moves bytes: to another location or storage class."""
    old, new = store.bucket(source.bucket).settings, store.bucket(to_bucket).settings
    new_class = given.get("storageClass") or new.get("storageClass", "STANDARD")
    return new_class != source.settings.get("storageClass", "STANDARD") or old.get("location") != new.get("location")


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
