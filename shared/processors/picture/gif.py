"""GIF: its frames, and the canvas that the first one leaves uncovered, which is transparent (GIF89a §18)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from shared.processors.picture.parts import Span, joined
from shared.processors.picture.prepared import Prepared

_FRAME, _EXTENSION, _CONTROL = 0x2C, 0x21, 0xF9
_HEAD_BYTES, _FRAME_BYTES, _CONTROL_BYTES = 13, 9, 4
_FLAGS_AT, _HAS_TABLE, _TABLE_BITS = 10, 0x80, 0x07


@dataclass(frozen=True, slots=True)
class Frame:
    """The place of one frame in the file, and the graphic control extension before it, or zeros.

    `has_table`: it has colours of its own, in place of those of the screen.
    """

    span: Span
    control: bytes
    is_whole: bool = True
    has_table: bool = False


def prepare(source: Path) -> Prepared:
    """Pillow fills the uncovered canvas with a colour, and takes the screen's colours for a frame's own greys."""
    first = next(frames(source), None)
    file: Path | BinaryIO = source
    if first and first.has_table:
        start = len(_screen(source))
        file = joined(source, _screen(source, with_table=False), Span(start, source.stat().st_size - start))
    return Prepared("GIF", file, mend=_mended)


def alone(source: Path, frame: Frame) -> Prepared:
    """One frame as a file of its own."""
    head = _screen(source, with_table=not frame.has_table)
    return Prepared("GIF", joined(source, head, b"\x21\xf9\x04", frame.control, b"\0", frame.span, b";"))


def _screen(source: Path, *, with_table: bool = True) -> bytes:
    """The header, the logical screen and, unless it is left out, its table of colours."""
    with source.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
        flags = head[_FLAGS_AT : _FLAGS_AT + 1] or b"\0"  # the file may end before
        if with_table:
            return head + stream.read(_table_bytes(flags[0]))
        return head[:_FLAGS_AT] + bytes([flags[0] & ~_HAS_TABLE]) + head[_FLAGS_AT + 1 :]


def frames(source: Path) -> Iterator[Frame]:
    """The frames in their order; the last one may not be whole (GIF89a §20, §23)."""
    start, control = len(_screen(source)), b""
    with source.open("rb") as stream:
        stream.seek(start)
        while (mark := stream.read(1)) and mark[0] in (_FRAME, _EXTENSION):
            start = stream.tell() - 1
            label = stream.read(_FRAME_BYTES if mark[0] == _FRAME else 1)
            if mark[0] == _FRAME:
                stream.seek(_table_bytes(label[-1]) + 1 if label else 0, 1)
            data = _blocks(stream)
            if mark[0] == _FRAME:
                has_table = bool(label and label[-1] & _HAS_TABLE)
                right = control if len(control) == _CONTROL_BYTES else bytes(_CONTROL_BYTES)
                yield Frame(Span(start, stream.tell() - start), right, data is not None, has_table)
            if data is None:
                return
            control = b"" if mark[0] == _FRAME else data if label[0] == _CONTROL else control


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & _TABLE_BITS) + 1) if flags & _HAS_TABLE else 0


def _blocks(stream: BinaryIO) -> bytes | None:
    """Pass over the data blocks; return the first, None where the file ends before the last."""
    first = None
    while length := stream.read(1):
        if not length[0]:
            return first or b""
        block = stream.read(length[0])
        first = first or block
    return None


def _mended(picture: Any) -> Image.Image:
    frame = picture.dispose_extent
    if frame is None or frame == (0, 0, *picture.size):
        return picture  # type: ignore[no-any-return]
    seen: Image.Image = picture.convert("RGBA")
    canvas = Image.new("RGBA", picture.size)
    canvas.paste(seen.crop(frame), frame)
    return canvas
