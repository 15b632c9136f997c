"""The XML API, as far as signed URLs need it: objects by PUT, GET, HEAD, DELETE and resumable POST."""

import base64
from collections.abc import Awaitable, Callable

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from localcloud.accounts import Accounts
from localcloud.storage.data.parts import Parts
from localcloud.storage.data.store import Store
from localcloud.storage.errors import StorageError, unsupported
from localcloud.storage.http import Answer, Header, Request, empty_answer, refusal
from localcloud.storage.json.uploads import incomplete
from localcloud.storage.media import checksums
from localcloud.storage.media.downloads import check_http_conditions, clean, media_answer, object_headers
from localcloud.storage.media.ranges import check_length, parse_length_range
from localcloud.storage.media.resumable import Sessions
from localcloud.storage.media.uploads import Intent, store_upload
from localcloud.storage.model import Object
from localcloud.storage.rules import cors
from localcloud.storage.rules.conditions import Conditions, check_write_headers, number
from localcloud.storage.rules.header_fields import settings_of
from localcloud.storage.rules.names import check_bucket_name, check_object_name, decode
from localcloud.storage.rules.signatures import verify
from localcloud.storage.xml import multipart as xml_multipart
from localcloud.storage.xml.forms import upload_form
from localcloud.storage.xml.listing import list_bucket
from localcloud.storage.xml.parameters import OVERRIDES, check_bucket_request, check_object_request

_HOST_SUFFIX = ".storage.googleapis.com"
_META = "x-goog-meta-"


class XmlApi:
    """Answers what is not the JSON API's."""

    def __init__(self, store: Store, sessions: Sessions, parts: Parts, accounts: Accounts) -> None:
        self._store = store
        self._parts = parts
        self._sessions = sessions
        self._accounts = accounts
        self._keys: dict[str, RSAPublicKey] = {}

    async def answer(self, request: Request) -> Answer:
        """Answer one request, refusals included: a browser may read those only with the bucket's CORS headers."""
        raw_bucket, _, raw_name = _path(request).partition("/")
        bucket = self._store.buckets.get(raw_bucket)
        if request.method == "OPTIONS":
            return empty_answer(200, *cors.preflight_headers(bucket, request.headers))
        try:
            answer = await self._object(request, raw_bucket, raw_name)
        except StorageError as error:
            answer = refusal(error, is_json=False)
        answer.headers += cors.response_headers(bucket, request.method, request.headers)
        return answer

    async def _object(self, request: Request, raw_bucket: str, raw_name: str) -> Answer:
        check_write_headers(request.method, request.headers)
        if not raw_name:
            return await self._bucket(request, check_bucket_name(decode(raw_bucket)))
        bucket, name = check_bucket_name(decode(raw_bucket)), check_object_name(decode(raw_name))
        if "upload_id" in request.query:
            return await self._continue(request)
        verify(request, self._public_key, self._store.clock.time())
        check_object_request(request.method, request.query, request.headers)
        self._store.bucket(bucket)
        if xml_multipart.QUERY & request.query.keys():
            return await self._multipart(request, bucket, name)
        found = OBJECT_HANDLERS.get(request.method)
        if found is None:
            raise StorageError(405, "methodNotAllowed", f"Method {request.method[:20]!r}.", "MethodNotAllowed")
        return await found[1](self, request, bucket, name)

    async def _bucket(self, request: Request, bucket: str) -> Answer:
        self._store.bucket(bucket)
        if request.method == "POST" and request.headers.get("content-type", "").startswith("multipart/form-data"):
            return await upload_form(self._store, request, bucket, self._public_key)
        verify(request, self._public_key, self._store.clock.time())
        check_bucket_request(request.query, request.headers)
        if request.method == "HEAD":
            return empty_answer(200, (b"content-length", b"0"))
        if request.method != "GET":
            raise unsupported(f"{request.method} of a bucket over the XML API")
        if "uploads" in request.query:
            return xml_multipart.list_uploads(self._parts, bucket)
        return list_bucket(self._store, request, bucket)

    async def _multipart(self, request: Request, bucket: str, name: str) -> Answer:
        if "uploads" in request.query and request.method == "POST":
            return xml_multipart.start(self._parts, _intent(request, bucket, name))
        return await xml_multipart.continue_upload(self._parts, request, bucket, name)

    async def _put(self, request: Request, bucket: str, name: str) -> Answer:
        intent = _intent(request, bucket, name)
        size = number(request.headers, "content-length")
        if size is not None:
            check_length(size, intent.lengths)
        return _stored(await store_upload(self._store, intent, request.body, request.base))

    async def _post(self, request: Request, bucket: str, name: str) -> Answer:
        if request.headers.get("x-goog-resumable") != "start":
            raise unsupported("POST of an object without x-goog-resumable: start")
        identity = self._sessions.start(_intent(request, bucket, name), number(request.headers, "x-upload-content-length"))
        location = f"{request.base}{request.path}?upload_id={identity}"
        return empty_answer(201, (b"location", location.encode("latin-1")))

    async def _get(self, request: Request, bucket: str, name: str) -> Answer:
        found = self._store.find(bucket, name, number(request.query, "generation"))
        Conditions.from_headers(request.headers).check_read(found.generation, found.metageneration)
        check_http_conditions(found, _etag(found), request.headers)
        headers = _headers(found)
        for key, header in OVERRIDES.items():
            if key in request.query:
                headers = [pair for pair in headers if pair[0] != header] + [(header, clean(request.query[key]))]
        if request.method == "HEAD":
            return Answer(200, [*headers, (b"content-length", str(found.size).encode())])
        return await media_answer(self._store, found, request, headers)

    async def _delete(self, request: Request, bucket: str, name: str) -> Answer:
        conditions = Conditions.from_headers(request.headers)
        self._store.delete(bucket, name, number(request.query, "generation"), conditions, request.base)
        return empty_answer(204)

    async def _continue(self, request: Request) -> Answer:
        identity = request.query["upload_id"]
        if request.method == "DELETE":
            self._sessions.cancel(identity)
            return empty_answer(499)
        if request.method != "PUT":
            raise StorageError(405, "methodNotAllowed", "An upload takes PUT and DELETE only.", "MethodNotAllowed")
        outcome = await self._sessions.accept(identity, request, request.body)
        return incomplete(outcome) if isinstance(outcome, int) else _stored(outcome)

    def _public_key(self, email: str) -> RSAPublicKey | None:
        key = self._keys.get(email) or self._accounts.public_key(email)
        if key:
            self._keys[email] = key
        return key


BUCKET_OPERATIONS = ("POST bucket (upload by form)", "GET bucket (list objects)", "GET bucket?uploads", "HEAD bucket")
#: Method, what it does, and what answers it.
OBJECT_HANDLERS: dict[str, tuple[str, Callable[[XmlApi, Request, str, str], Awaitable[Answer]]]] = {
    "PUT": ("PUT object", XmlApi._put),
    "POST": ("POST object (start a resumable upload)", XmlApi._post),
    "GET": ("GET object", XmlApi._get),
    "HEAD": ("HEAD object", XmlApi._get),
    "DELETE": ("DELETE object", XmlApi._delete),
}


def _path(request: Request) -> str:
    """`bucket/object`, still encoded; the bucket may also be the first part of the host's name."""
    host = request.headers.get("host", "").partition(":")[0]
    if host.endswith(_HOST_SUFFIX):
        return host.removesuffix(_HOST_SUFFIX) + request.path
    return request.path[1:]


def _intent(request: Request, bucket: str, name: str) -> Intent:
    headers = request.headers
    settings = settings_of({key: _text(value) for key, value in headers.items()})
    lengths = parse_length_range(headers.get("x-goog-content-length-range"))
    conditions = Conditions.from_headers(headers)
    return Intent(bucket, name, settings, checksums.claims(headers), conditions, lengths)


def _stored(stored: Object) -> Answer:
    names = {b"x-goog-generation", b"x-goog-metageneration", b"x-goog-hash", b"x-goog-stored-content-length"}
    described = [header for header in object_headers(stored) if header[0] in names]
    return empty_answer(200, (b"etag", _etag(stored).encode()), *described)


def _headers(stored: Object) -> list[Header]:
    metadata = stored.settings.get("metadata", {})
    described = [(f"{_META}{key}".lower().encode(), clean(value)) for key, value in metadata.items() if _is_token(key)]
    cache = clean(stored.settings.get("cacheControl", "private, max-age=0"))
    return [*object_headers(stored), (b"etag", _etag(stored).encode()), (b"cache-control", cache), *described]


def _etag(stored: Object) -> str:
    if stored.md5:
        return f'"{base64.b64decode(stored.md5).hex()}"'
    return f'"{stored.generation}-{stored.metageneration}"'


def _is_token(key: str) -> bool:
    return key.isascii() and all(c.isalnum() or c in "!#$%&'*+-.^_`|~" for c in key)


def _text(header: str) -> str:
    return header.encode("latin-1").decode("utf-8", "replace")
