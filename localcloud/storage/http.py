"""The HTTP surface: takes a request to its handler, and writes refusals as JSON or XML, as the API demands."""

from localcloud.calls import Calls
from localcloud.disk import DiskFull
from localcloud.errors import ApiError
from localcloud.guard import is_foreign
from localcloud.http import Answer, Header, Request, empty_answer
from localcloud.storage.data.store import Store
from localcloud.storage.errors import StorageError, storage_error
from localcloud.storage.json.batch import answer_batch
from localcloud.storage.model import Bucket
from localcloud.storage.routes import (
    BUCKET,
    BUCKET_FORM,
    SESSION,
    find_json,
    find_xml,
    is_download,
    json_segments,
    xml_names,
    xml_path,
    xml_target,
)
from localcloud.storage.rules import cors
from localcloud.storage.rules.conditions import check_write_headers
from localcloud.storage.rules.fields import partial_answer, selection
from localcloud.storage.rules.parameters import check_bucket_request, check_encryption, check_object_request, check_parameters
from localcloud.storage.rules.signatures import is_signed, verify


async def answer(store: Store, calls: Calls, request: Request) -> Answer:
    """Answer one request. Refusals are answers too: a browser shows them to a page only with CORS headers."""
    segments = json_segments(request.path)
    if request.method == "OPTIONS":
        return empty_answer(200, *_preflight_headers(store, request, segments))
    if segments is not None:
        # Clients that cannot send PATCH use this header (https://cloud.google.com/storage/docs/json_api#method-override).
        # CORS rules count for the method that is carried out.
        request.method = request.headers.get("x-http-method-override", request.method)
    try:
        if "origin" in request.headers and not _is_authorized(request, segments):
            cors.check_origin(_bucket(store, request, segments), request.method, request.headers)
        check_write_headers(request.method, request.headers)
        reply = await (_xml(store, calls, request) if segments is None else _json(store, calls, request, segments))
    except DiskFull as full:
        async for _ in request.body:  # a client that is still sending would see a reset, not the answer, and try for minutes
            pass
        reply = refuse(request, full)
    except (StorageError, ApiError) as error:
        reply = refuse(request, error)
    if "origin" in request.headers:
        reply.headers += _cors_headers(store, request, segments)
    return reply


def refuse(request: Request, error: StorageError | ApiError) -> Answer:
    """The answer to a refused request."""
    refusal = storage_error(error)
    if refusal.code == 304:
        return empty_answer(304)
    segments = json_segments(request.path)
    if segments is None:
        return Answer(refusal.code, [(b"content-type", b"application/xml; charset=UTF-8")], refusal.to_xml())
    if refusal.is_plain or is_download(request, segments):
        # Cloud Storage says text/html; here a name in the message could then be a script with the origin of this port.
        return Answer(refusal.code, [(b"content-type", b"text/plain; charset=UTF-8")], refusal.to_text())
    return Answer(refusal.code, [(b"content-type", b"application/json; charset=UTF-8")], refusal.to_json())


async def _json(store: Store, calls: Calls, request: Request, segments: list[str]) -> Answer:
    check_parameters(request.query)
    check_encryption(request.headers)
    if segments == ["batch"]:
        calls["batch", ""] += 1
        return await answer_batch(request, lambda single: answer(store, calls, single))
    operation, handler, names = find_json(request, segments)
    calls[operation, names[0] if names else ""] += 1
    mask = selection(operation, request.query.get("fields", ""))
    return partial_answer(await handler(store, request, *names), mask)


async def _xml(store: Store, calls: Calls, request: Request) -> Answer:
    names = xml_names(*xml_path(request))
    target = xml_target(request, names)
    # The URL of a session and the policy in a form are the client's authorization; any other request may be signed.
    if target not in {SESSION, BUCKET_FORM}:
        verify(request, store.public_key, store.clock.time())
        if len(names) == 1:
            check_bucket_request(request.method, request.query, request.headers)
        else:
            check_object_request(request.method, request.query, request.headers)
    if target != SESSION and (request.method, target) != ("PUT", BUCKET):
        store.bucket(names[0])
    operation, handler = find_xml(request.method, target)
    calls[operation, names[0]] += 1
    return await handler(store, request, *names)


def _preflight_headers(store: Store, request: Request, segments: list[str] | None) -> list[Header]:
    if segments is not None and not is_foreign(request.headers.get("origin", "")):
        return cors.open_preflight_headers(request.headers)
    return cors.preflight_headers(_bucket(store, request, segments), request.headers)


def _cors_headers(store: Store, request: Request, segments: list[str] | None) -> list[Header]:
    if segments is not None and not is_foreign(request.headers["origin"]):
        return cors.open_response_headers(request.headers)
    return cors.response_headers(_bucket(store, request, segments), request.method, request.headers)


def _bucket(store: Store, request: Request, segments: list[str] | None) -> Bucket | None:
    """The bucket whose CORS configuration applies; None for a request that concerns no bucket or two of them."""
    if segments is None:
        return store.buckets.get(xml_path(request)[0])
    names = segments if segments[0] == "b" else segments[1:]
    return store.buckets.get(names[1]) if 1 < len(names) < 8 else None


def _is_authorized(request: Request, segments: list[str] | None) -> bool:
    """Whether the request carries its own authorization: a session URL, a signed URL, or a form with a policy."""
    if segments is not None:
        return segments[0] == "upload" and "upload_id" in request.query
    return is_signed(request.query) or xml_target(request, xml_names(*xml_path(request))) in {SESSION, BUCKET_FORM}
