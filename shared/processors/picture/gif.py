"""GIF: its frames, and the canvas that the first one leaves uncovered, which is transparent (GIF89a §18)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from shared.processors.picture.parts import Span
from shared.processors.picture.prepared import Prepared

_FRAME, _EXTENSION, _CONTROL = 0x2C, 0x21, 0xF9
_HEAD_BYTES, _FRAME_BYTES = 13, 9
_HAS_TABLE, _TABLE_BITS = 0x80, 0x07


@dataclass(frozen=True, slots=True)
class Frame:
    """The place of one frame in the file, and the graphic control extension before it; empty without one."""

    span: Span
    control: bytes


def prepare(source: Path) -> Prepared:
    """Pillow fills the uncovered canvas with a colour of the palette."""
    return Prepared("GIF", source, mend=_mended)


def frames(source: Path) -> Iterator[Frame]:
    """The frames, as far as the file has them whole (GIF89a §20, §23)."""
    with source.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
        if len(head) < _HEAD_BYTES:
            return
        _skip_table(stream, head[10])
        control = b""
        while (mark := stream.read(1)) and mark[0] in (_FRAME, _EXTENSION):
            start = stream.tell() - 1
            label = stream.read(_FRAME_BYTES if mark[0] == _FRAME else 1)
            if mark[0] == _FRAME and len(label) == _FRAME_BYTES:
                _skip_table(stream, label[8])
                stream.read(1)
            data = _blocks(stream)
            if data is None:
                return
            if mark[0] == _FRAME:
                yield Frame(Span(start, stream.tell() - start), control)
            control = (
                data if label[:1] == bytes([_CONTROL]) and mark[0] == _EXTENSION else b"" if mark[0] == _FRAME else control
            )


def _skip_table(stream: BinaryIO, flags: int) -> None:
    if flags & _HAS_TABLE:
        stream.seek(3 << ((flags & _TABLE_BITS) + 1), 1)


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
