"""Objects over the XML API: uploads, downloads, deletion and resumable sessions, as signed URLs need them."""

from localcloud.http import Answer, Header, Request, empty_answer
from localcloud.storage.data.store import Store
from localcloud.storage.errors import unsupported
from localcloud.storage.media import resumable
from localcloud.storage.media.downloads import check_http_conditions, clean, media_answer, object_headers
from localcloud.storage.media.uploads import store_upload
from localcloud.storage.model import Object
from localcloud.storage.rules.conditions import check_read, header_conditions, number
from localcloud.storage.rules.intents import header_intent
from localcloud.storage.rules.parameters import OVERRIDES
from localcloud.storage.rules.ranges import check_length
from localcloud.storage.xml.documents import xml_etag

_META = "x-goog-meta-"
_OF_AN_UPLOAD = {b"x-goog-generation", b"x-goog-metageneration", b"x-goog-hash", b"x-goog-stored-content-length"}


async def get_object(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """GET or HEAD /BUCKET/OBJECT"""
    found = store.find(bucket, name, number(request.query, "generation"))
    check_read(header_conditions(request.headers), found.generation, found.metageneration)
    check_http_conditions(found, xml_etag(found), request.headers)
    headers = _headers(found)
    for key, header in OVERRIDES.items():
        if key in request.query:
            headers = [pair for pair in headers if pair[0] != header] + [(header, clean(request.query[key]))]
    if request.method == "HEAD":
        return Answer(200, [*headers, (b"content-length", str(found.size).encode())])
    return await media_answer(store, found, request, headers)


async def put_object(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """PUT /BUCKET/OBJECT"""
    intent = header_intent(bucket, name, request.headers)
    size = number(request.headers, "content-length")
    if size is not None:
        check_length(size, intent.lengths)
    return _stored(await store_upload(store, intent, request.body, request.base))


async def delete_object(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """DELETE /BUCKET/OBJECT"""
    conditions = header_conditions(request.headers)
    store.delete(bucket, name, number(request.query, "generation"), conditions, request.base)
    return empty_answer(204)


async def start_session(store: Store, request: Request, bucket: str, name: str) -> Answer:
    """POST /BUCKET/OBJECT with `x-goog-resumable: start`"""
    if request.headers.get("x-goog-resumable") != "start":
        raise unsupported("POST of an object without x-goog-resumable: start")
    declared = number(request.headers, "x-upload-content-length")
    identity = resumable.start(store, header_intent(bucket, name, request.headers), declared)
    location = f"{request.base}{request.path}?upload_id={identity}"
    return empty_answer(201, (b"location", location.encode("latin-1")))


async def continue_session(store: Store, request: Request, _bucket: str, _name: str) -> Answer:
    """PUT to the Location of a resumable upload."""
    session = store.uploads.session(request.query["upload_id"])
    outcome = await resumable.accept(store, session, request, request.body)
    return resumable.incomplete(request, outcome) if isinstance(outcome, int) else _stored(outcome)


async def cancel_session(store: Store, request: Request, _bucket: str, _name: str) -> Answer:
    """DELETE of the Location of a resumable upload."""
    resumable.cancel(store, store.uploads.session(request.query["upload_id"]))
    return empty_answer(499)


def _stored(stored: Object) -> Answer:
    described = [header for header in object_headers(stored) if header[0] in _OF_AN_UPLOAD]
    return empty_answer(200, (b"etag", xml_etag(stored).encode()), *described)


def _headers(stored: Object) -> list[Header]:
    metadata = stored.settings.get("metadata", {})
    described = [(f"{_META}{key}".lower().encode(), clean(value)) for key, value in metadata.items() if _is_token(key)]
    cache = clean(stored.settings.get("cacheControl", "private, max-age=0"))
    return [*object_headers(stored), (b"etag", xml_etag(stored).encode()), (b"cache-control", cache), *described]


def _is_token(key: str) -> bool:
    """Whether a key can be part of a header's name (RFC 9110 §5.6.2)."""
    return key.isascii() and all(c.isalnum() or c in "!#$%&'*+-.^_`|~" for c in key)
