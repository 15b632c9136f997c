"""The files of an upload request: read as a stream, admitted or refused by their beginning, never held whole."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

import google_crc32c
from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from shared import media, metadata
from shared.errors import BadRequest, MethodNotAllowed, TooLarge, UnsupportedType
from shared.routes import Routes

BLOCK_BYTES = 1 << 18
MAX_PARTS = 100
#: Limit on buffered form data (preamble, part headers, epilogue), whose length the client chooses.
MAX_HELD_BYTES = 4 * BLOCK_BYTES


@dataclass(frozen=True, slots=True)
class Incoming:
    """One file of a request, with its custom metadata. `blocks` can be read once."""

    name: str
    content_type: str
    blocks: Iterator[bytes]
    metadata: Mapping[str, str] = field(default_factory=dict)


def read(request: Request) -> Iterator[Incoming]:
    """The files of `POST /` with multipart/form-data, or of `PUT|POST /<name>` with a raw body.

    Headers `x-goog-meta-<key>` are custom metadata of every file, form fields of that name are of the files after them.
    Raises `BadRequest` and `MethodNotAllowed`, also while `blocks` are read, when the body ends too early.
    """
    name = request.path.lstrip("/")
    if request.method not in ("POST", "PUT"):
        raise MethodNotAllowed("POST a form to /, or PUT or POST a file's bytes to /<name>", "POST", *(["PUT"] if name else []))
    common = metadata.check(metadata.prefixed(dict(request.headers)))
    if name:
        yield Incoming(name, request.headers.get("content-type", ""), _blocks(request), common)
        return
    boundary = request.mimetype_params.get("boundary", "")
    if request.method != "POST" or request.mimetype != "multipart/form-data" or not boundary:
        raise BadRequest("POST multipart/form-data to / (curl -F file=@NAME), or PUT the bytes to /<name> (curl -T NAME)")
    yield from _parts(_events(_blocks(request), boundary.encode()), common)


def admit(incoming: Incoming, head: bytes, name: str, routes: Routes) -> str:
    """Decide the content type of a file by its first bytes; `name` is its object's. Pure.

    Raises `BadRequest` for an empty file, `UnsupportedType` where no route takes the file.
    """
    if not head:
        raise BadRequest(f"{incoming.name} is empty; send at least one byte", "empty_file")
    content_type = media.decide_type(incoming.content_type, head, incoming.name)
    if refusal := routes.why_not(content_type, name, incoming.metadata):
        raise UnsupportedType(f"{incoming.name}: {refusal}")
    return content_type


def _blocks(request: Request) -> Iterator[bytes]:
    """The body, checked against its Content-Length: gunicorn ends a body that breaks off as if it were complete."""
    missing = request.content_length or 0
    while block := _block(request):
        missing -= len(block)
        yield block
    if missing > 0:
        raise BadRequest(
            f"the body ended {missing} bytes before its Content-Length; nothing was stored, send it again", "body_cut_short"
        )


def _block(request: Request) -> bytes:
    try:
        return request.stream.read(BLOCK_BYTES)
    except RequestEntityTooLarge:
        raise TooLarge(f"the body has more than {request.max_content_length} bytes, the limit") from None
    except Exception:  # each server raises exceptions of its own for a malformed chunked body
        raise BadRequest(
            "the body ended early, or its chunks are malformed; nothing was stored, send it again", "body_cut_short"
        ) from None


def _parts(events: Iterator[object], given: Mapping[str, str]) -> Iterator[Incoming]:
    found = False
    for event in events:
        if isinstance(event, Field):
            given = metadata.check({**given, **metadata.prefixed({event.name: _value(_data(events))})})
        if isinstance(event, File):
            part = _data(events)
            if not event.filename and not any(part):
                continue  # browsers send a file field that was left empty
            found = True
            yield Incoming(event.filename, event.headers.get("content-type", ""), part, given)
            for _rest in part:
                pass
    if not found:
        raise BadRequest("the form has no file; send one with curl -F file=@NAME", "no_file")


def _value(blocks: Iterator[bytes]) -> str:
    """The beginning of a form field. One more byte than metadata may have is enough to refuse it."""
    held = bytearray()
    for block in blocks:
        held += block[: metadata.MAX_BYTES + 1 - len(held)]
    return held.decode(errors="replace")


def _data(events: Iterator[object]) -> Iterator[bytes]:
    for event in events:
        if isinstance(event, Data):
            yield event.data
            if not event.more_data:
                return


def _events(blocks: Iterator[bytes], boundary: bytes) -> Iterator[object]:
    decoder = MultipartDecoder(boundary, MAX_HELD_BYTES, max_parts=MAX_PARTS)
    try:
        while True:
            event = decoder.next_event()
            if isinstance(event, NeedData):
                _feed(decoder, blocks)
            elif isinstance(event, Epilogue):
                return
            else:
                yield event
    except (ValueError, RequestEntityTooLarge):
        raise BadRequest(
            f"the form is malformed multipart/form-data, or has more than {MAX_PARTS} parts; correct it", "broken_multipart"
        ) from None


def _feed(decoder: MultipartDecoder, blocks: Iterator[bytes]) -> None:
    decoder.receive_data(next(blocks, None))
    # With the last character of the closing boundary still missing, Werkzeug 3.1 would end the file with a stray CR.
    while decoder.buffer.endswith(b"--" + decoder.boundary + b"-") and not decoder.complete:
        decoder.receive_data(next(blocks, None))


class ChecksummedStream:
    """A stream of blocks that counts its bytes and computes their crc32c.

    `head` holds the first bytes before the stream is read; `size` and `crc32c` are complete after it. Reading past `max_bytes`
    raises `TooLarge` with the message `too_large`.
    """

    def __init__(self, blocks: Iterator[bytes], max_bytes: int, too_large: str) -> None:
        self.size = 0
        self._crc32c = google_crc32c.Checksum()
        self._max_bytes = max_bytes
        self._too_large = too_large
        first = bytearray()
        while len(first) < media.HEAD_BYTES and (block := next(blocks, None)) is not None:
            first += block
        self.head = bytes(first[: media.HEAD_BYTES])
        self._blocks = chain([bytes(first)] if first else [], blocks)

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            self.size += len(block)
            if self.size > self._max_bytes:
                raise TooLarge(self._too_large)
            self._crc32c.update(block)
            yield block

    def drain(self) -> None:
        """Read the rest, so that `size` and `crc32c` cover the whole stream."""
        for _block in self:
            pass

    @property
    def crc32c(self) -> str:
        return base64.b64encode(self._crc32c.digest()).decode()
