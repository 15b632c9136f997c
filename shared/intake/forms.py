"""The parts of a multipart/form-data body as events: the headers of each part, then its bytes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from shared import metadata
from shared.errors import BadRequest
from shared.intake import names

BLOCK_BYTES = 1 << 18
MAX_PARTS = 100
#: Longest head of a part: its headers are parsed in Python, line by line.
MAX_HEAD_BYTES = 16 << 10
#: Limit on buffered form data (preamble, part headers, epilogue), whose length the client chooses.
MAX_HELD_BYTES = 4 * BLOCK_BYTES


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a form, its headers by their names in lower case. `file_name` is None where it is no file."""

    name: str
    file_name: str | None
    headers: Mapping[str, str]
    blocks: Iterator[bytes]

    def value(self) -> str:
        """The beginning of a form field. One more byte than metadata may have is enough to refuse it."""
        held = bytearray()
        for block in self.blocks:
            held += block[: metadata.MAX_BYTES + 1 - len(held)]
        return held.decode(errors="replace")


def parts(blocks: Iterator[bytes], boundary: bytes) -> Iterator[Part]:
    """Each part once the one before it is read to its end, which is done here. Raises `BadRequest`."""
    events = _events(blocks, boundary)
    for event in events:
        if isinstance(event, (Field, File)):
            part = _part(event.headers, _data(events))
            yield part
            for _rest in part.blocks:
                pass


def _part(given: Headers, blocks: Iterator[bytes]) -> Part:
    headers: dict[str, str] = {}
    for name, value in given:
        key = name.lower()
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    disposition = names.parameters(given.get("content-disposition", ""))
    return Part(names.field_name(disposition), names.file_name(disposition), headers, blocks)


def _data(events: Iterator[object]) -> Iterator[bytes]:
    for event in events:
        if isinstance(event, Data):
            yield event.data
            if not event.more_data:
                return


class _Decoder(MultipartDecoder):
    """Werkzeug's, for headers in any encoding, and of a limited size: it takes UTF-8 only, and 1 MiB in each part."""

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        if len(data) > MAX_HEAD_BYTES:
            raise ValueError("too long a head")
        try:
            data.decode()
        except UnicodeDecodeError:
            # What browsers mean by Latin-1 (WHATWG Encoding). A byte without a character becomes U+FFFD.
            data = bytes(data).decode("cp1252", errors="replace").encode()
        return super()._parse_headers(data)


def _events(blocks: Iterator[bytes], boundary: bytes) -> Iterator[object]:
    decoder = _Decoder(boundary, MAX_HELD_BYTES, max_parts=MAX_PARTS)
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
            f"the form is malformed multipart/form-data, or has more than {MAX_PARTS} parts or {MAX_HEAD_BYTES} bytes of headers "
            "in one; correct it",
            "broken_multipart",
        ) from None


def _feed(decoder: MultipartDecoder, blocks: Iterator[bytes]) -> None:
    decoder.receive_data(next(blocks, None))
    # With the last character of the closing boundary still missing, Werkzeug 3.1 would end the file with a stray CR.
    while decoder.buffer.endswith(b"--" + decoder.boundary + b"-") and not decoder.complete:
        decoder.receive_data(next(blocks, None))
