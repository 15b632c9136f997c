"""From a multipart answer to outputs: each part is one, under its file name."""

from collections.abc import Iterator
from pathlib import Path

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from shared import naming
from shared.errors import BadFile, ProcessorFailed
from shared.outside.calls import BLOCK_BYTES, Answer
from shared.outside.outputs import stated, written
from shared.outside.reach import Reach
from shared.processors.registry import Draft
from shared.sandbox.files import MAX_FILES

#: Headers of a part, and the text before the first and after the last one.
MAX_HELD_BYTES = BLOCK_BYTES + (64 << 10)
#: RFC 2046 §5.1.1
MAX_BOUNDARY_CHARACTERS = 70


def kept(answer: Answer, folder: Path, reach: Reach) -> Iterator[Draft]:
    """The outputs of the answer. Raises `BadFile` and `ProcessorFailed`."""
    kind, parameters = parse_options_header(answer.content_type)
    boundary = parameters.get("boundary", "")
    if not kind.startswith("multipart/") or not 0 < len(boundary) <= MAX_BOUNDARY_CHARACTERS or not boundary.isascii():
        raise ProcessorFailed(f"the service answered {kind[:100]!r}, and `parts` needs multipart/form-data or multipart/mixed")
    names: set[str] = set()
    left = reach.limits.output_bytes
    events = _events(answer.blocks, boundary.encode(), reach)
    for event in events:
        if isinstance(event, (File, Field)):
            name = _name(event, len(names) + 1, names)
            names.add(name)
            path = folder / f"part-{len(names)}"
            left -= written(_data(events), path, left, reach)
            yield Draft(name, stated(event.headers.get("content-type", "")), path)
    if not names:
        raise BadFile("the service answered no part to this file", "no_output")


def _name(event: File | Field, number: int, taken: set[str]) -> str:
    name = (event.filename if isinstance(event, File) else event.name) or ""
    if not naming.is_output(name) or name in taken:
        problem = f"part {number} of the service's answer is named {name[:100]!r}"
        raise ProcessorFailed(
            f"{problem}; give each a file name of its own, of 1 to {naming.MAX_OUTPUT_BYTES} bytes, without a slash"
        )
    return name


def _data(events: Iterator[Event]) -> Iterator[bytes]:
    for event in events:
        if isinstance(event, Data):
            yield event.data
            if not event.more_data:
                return


def _events(blocks: Iterator[bytes], boundary: bytes, reach: Reach) -> Iterator[Event]:
    decoder = MultipartDecoder(boundary, MAX_HELD_BYTES, max_parts=MAX_FILES)
    while True:
        try:
            event = decoder.next_event()
            if isinstance(event, NeedData):
                _feed(decoder, blocks)
                continue
        except RequestEntityTooLarge:
            raise reach.exceeded("limit_output") from None
        except ValueError:
            raise ProcessorFailed(
                "the service's multipart answer is malformed: it breaks RFC 2046, or ends too early"
            ) from None
        if isinstance(event, Epilogue):
            return
        yield event


def _feed(decoder: MultipartDecoder, blocks: Iterator[bytes]) -> None:
    decoder.receive_data(next(blocks, None))
    # With the last character of the closing boundary still missing, Werkzeug 3.1 would end the part with a stray CR.
    while decoder.buffer.endswith(b"--" + decoder.boundary + b"-") and not decoder.complete:
        decoder.receive_data(next(blocks, None))
