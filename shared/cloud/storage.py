"""Cloud Storage behind `Bucket`: create-only writes, generation-pinned reads, signed URLs."""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests.exceptions
from google.api_core import exceptions
from google.auth import exceptions as auth_exceptions
from google.cloud.storage import Client
from google.cloud.storage.exceptions import DataCorruption
from google.cloud.storage.retry import DEFAULT_RETRY

from shared.cloud import signing
from shared.cloud.blocks import Blocks
from shared.cloud.protocols import NO_METADATA, RETRY_SECONDS, AlreadyExists, NoSuchObject, Permission, Stored
from shared.errors import Unavailable
from shared.settings import Settings

#: Size of each request of a streamed upload, and its cost in memory; Cloud Storage wants a multiple of 256 KiB.
CHUNK_BYTES = 2 << 20
#: Largest download that is read in one piece, and its cost in memory.
WHOLE_BYTES = 8 << 20
TIMEOUT_SECONDS = 60
#: The fields of objects in a list.
OBJECTS = "items(name,generation,size,contentType,crc32c,updated,metadata),nextPageToken"


class DiskFull(exceptions.ClientError):
    """The disk of the local cloud is full. Google's library has no class of its own for this status."""

    code = 413


_UNAVAILABLE = (
    DiskFull,
    exceptions.TooManyRequests,
    exceptions.ServerError,
    exceptions.RetryError,
    exceptions.Unauthorized,  # a token that was revoked, or has expired
    exceptions.Forbidden,  # a grant that has not spread yet, or a disabled key: not the file's fault
    exceptions.NotFound,  # the bucket; a missing object is caught before
    auth_exceptions.TransportError,
    auth_exceptions.RefreshError,
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
    DataCorruption,
)


class Storage:
    """Cloud Storage through google-cloud-storage: one client, made on first use, for all buckets of a cloud."""

    def __init__(self, settings: Settings, retry_seconds: float = RETRY_SECONDS) -> None:
        self._settings = settings
        #: Options of every call: the time limit of one request, and that of all its repetitions.
        self.limits = {"timeout": min(TIMEOUT_SECONDS, retry_seconds), "retry": DEFAULT_RETRY.with_timeout(retry_seconds)}

    def bucket(self, name: str) -> "StorageBucket":
        """The bucket of this name; calls nothing."""
        return StorageBucket(name, self)

    @functools.cached_property
    def client(self) -> Client:
        """The client."""
        client = Client(project=self._settings.project)
        # Cloud Run has neither a proxy nor a .netrc, and looking for them costs 0.4 ms of CPU a request, a tenth of a small
        # picture. The client has no public access to its session.
        client._http.trust_env = False
        return client

    @functools.cached_property
    def signer_of_uploads(self) -> Any:
        """The credentials that sign URLs of uploads."""
        return signing.of_uploads(self._settings)

    @functools.cached_property
    def signer_of_downloads(self) -> Any:
        """The credentials that sign links to objects."""
        return signing.of_downloads(self._settings)


class StorageBucket:
    """One bucket."""

    def __init__(self, name: str, storage: Storage) -> None:
        self.name = name
        self._storage = storage
        self._limits = storage.limits

    @functools.cached_property
    def _bucket(self) -> Any:
        return self._storage.client.bucket(self.name)

    def create(
        self,
        name: str,
        content_type: str,
        body: bytes | Path | Iterable[bytes],
        metadata: Mapping[str, str] = NO_METADATA,
        cache_control: str = "",
    ) -> Stored:
        blob = self._new(name, metadata, cache_control)
        try:
            _upload(blob, body, {"content_type": content_type, "if_generation_match": 0, "checksum": "crc32c", **self._limits})
        except exceptions.PreconditionFailed:
            raise AlreadyExists(f"object {name} already exists in {self.name}") from None
        except exceptions.Forbidden as error:
            # For an account without the right to delete, Cloud Storage may refuse an overwrite before it checks the precondition.
            if self.find(name):
                raise AlreadyExists(f"object {name} already exists in {self.name}") from None
            raise self._unavailable(error) from error
        except _UNAVAILABLE as error:
            raise self._unavailable(error) from error
        return _stored(blob)

    def _new(self, name: str, metadata: Mapping[str, str], cache_control: str) -> Any:
        blob = self._bucket.blob(name)
        if metadata:
            blob.metadata = metadata
        if cache_control:
            blob.cache_control = cache_control
        return blob

    def read(self, name: str, most: int = 0) -> bytes | None:
        try:
            return self._read(self._bucket.blob(name), most)
        except NoSuchObject:
            return None

    def head(self, name: str, generation: int, most: int) -> tuple[bytes, str]:
        blob = self._bucket.blob(name, generation=generation)
        return self._read(blob, most), str(blob.content_encoding or "")

    def _read(self, blob: Any, most: int) -> bytes:
        # A checksum is that of the whole object.
        part = {"start": 0, "end": most - 1, "checksum": None} if most else {}
        try:
            return bytes(blob.download_as_bytes(raw_download=True, **part, **self._limits))
        except exceptions.RequestRangeNotSatisfiable:
            return b""
        except exceptions.NotFound:
            raise self._missing(blob) from None
        except _UNAVAILABLE as error:
            raise self._unavailable(error) from error

    def download(self, name: str, generation: int, size: int, path: Path) -> str:
        blob = self._bucket.blob(name, generation=generation)
        try:
            with path.open("wb") as file:
                # Several requests mean reads of 8 KB, at twice the CPU time.
                whole = size <= WHOLE_BYTES
                options = {"raw_download": True, "checksum": "crc32c", **self._limits}
                blob.download_to_file(file, single_shot_download=whole, **options)
        except exceptions.NotFound:
            raise self._missing(blob) from None
        except _UNAVAILABLE as error:
            raise self._unavailable(error) from error
        return str(blob.content_encoding or "")

    def find(self, name: str) -> Stored | None:
        try:
            blob = self._bucket.get_blob(name, **self._limits)
        except _UNAVAILABLE as error:
            raise self._unavailable(error) from error
        return _stored(blob) if blob else None

    def names(self, prefix: str, start: str = "", end: str = "") -> Iterator[str]:
        asked = {"prefix": prefix, "start_offset": start or None, "end_offset": end or None}
        try:
            for blob in self._bucket.list_blobs(**asked, fields="items(name),nextPageToken", **self._limits):
                yield blob.name
        except _UNAVAILABLE as error:
            raise self._unavailable(error) from error

    def page(self, prefix: str, start: str, limit: int) -> Mapping[str, Mapping[str, str]]:
        asked = {"prefix": prefix, "start_offset": start, "max_results": limit, "fields": "items(name,metadata),nextPageToken"}
        try:
            return {blob.name: blob.metadata or {} for blob in self._bucket.list_blobs(**asked, **self._limits)}
        except _UNAVAILABLE as error:
            raise self._unavailable(error) from error

    def objects(self, prefix: str, start: str, limit: int) -> Sequence[Stored]:
        asked = {"prefix": prefix, "start_offset": start or None, "max_results": limit, "fields": OBJECTS}
        try:
            return [_stored(blob) for blob in self._bucket.list_blobs(**asked, **self._limits)]
        except _UNAVAILABLE as error:
            raise self._unavailable(error) from error

    def permit_upload(self, name: str, headers: Mapping[str, str], seconds: int, *, resumable: bool) -> Permission:
        # The library adds to the dict that it is given; a client must send exactly these headers and no others.
        method, signer = "RESUMABLE" if resumable else "PUT", self._storage.signer_of_uploads
        url = self._sign(name, seconds, signer, method=method, headers=dict(headers))
        sent = {**headers, "x-goog-resumable": "start"} if resumable else dict(headers)
        return Permission("POST" if resumable else "PUT", url, sent)

    def permit_download(self, name: str, seconds: int) -> str:
        return self._sign(name, seconds, self._storage.signer_of_downloads, method="GET", response_disposition="attachment")

    def _sign(self, name: str, seconds: int, signer: Any, **what: Any) -> str:
        blob = self._bucket.blob(name)
        life = timedelta(seconds=seconds)
        try:
            return str(blob.generate_signed_url(version="v4", expiration=life, credentials=signer, **what))
        except _UNAVAILABLE as error:
            raise self._unavailable(error) from error

    def _missing(self, blob: Any) -> NoSuchObject:
        return NoSuchObject(f"generation {blob.generation or 'live'} of {blob.name} not found in {self.name}")

    def _unavailable(self, error: Exception) -> Unavailable:
        last = error.cause if isinstance(error, exceptions.RetryError) else error
        return Unavailable(f"bucket {self.name} is unavailable ({type(last).__name__}); retry")


def _upload(blob: Any, body: bytes | Path | Iterable[bytes], options: Mapping[str, Any]) -> None:
    if isinstance(body, bytes):
        blob.upload_from_string(body, **options)
    elif isinstance(body, Path):
        blob.upload_from_filename(str(body), **options)
    else:
        _stream(blob, body, options)


def _stream(blob: Any, blocks: Iterable[bytes], options: Mapping[str, Any]) -> None:
    """Upload at most a chunk in one request, and more as a resumable upload.

    Neither becomes an object before it is complete.
    """
    source = Blocks(iter(blocks))
    first = source.read(CHUNK_BYTES)
    if len(first) < CHUNK_BYTES:
        blob.upload_from_string(first, **options)
        return
    blob.chunk_size = CHUNK_BYTES
    blob.upload_from_file(Blocks(source.rest(first)), **options)


def _stored(blob: Any) -> Stored:
    updated = blob.updated.isoformat().replace("+00:00", "Z") if blob.updated else ""
    described = blob.content_type or "", blob.crc32c or "", updated, blob.metadata or {}
    return Stored(blob.name, int(blob.generation), int(blob.size), *described)
