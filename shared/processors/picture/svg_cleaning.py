"""Cleans the XML of a drawing: its entities are resolved, and it refers to nothing outside itself.

resvg would read the files that a drawing names, and run out of stack in deeply nested elements.
"""

import base64
import binascii
import io
import urllib.parse
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from PIL import Image

from shared import media
from shared.errors import BadFile
from shared.processors.picture import kinds
from shared.processors.picture.refusals import check_size, corrupt, too_much_metadata, truncated, unsupported
from shared.processors.picture.svg_colours import PAINTING, understood

#: Of XML, unpacked and with its entities resolved; it takes about ten times as much memory.
MAX_BYTES = 32 << 20
#: Elements inside each other. From 250 on, resvg has no stack left.
MAX_DEPTH = 100
#: Drawings inside drawings.
_MAX_NESTED = 1
_EMBEDDED = {"PNG": "png", "JPEG": "jpeg", "GIF": "gif", "WEBP": "webp"}
_GZIP = b"\x1f\x8b"
_codes = expat.errors.codes
_CUT_SHORT = (
    _codes[expat.errors.XML_ERROR_NO_ELEMENTS],
    _codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
    _codes[expat.errors.XML_ERROR_PARTIAL_CHAR],
    _codes[expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION],
)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The name and the attributes of the first element, and all that is inside it."""

    name: str
    root: Mapping[str, str]
    inside: str

    def text(self, changed: Mapping[str, str]) -> str:
        """The XML, with these attributes of the first element."""
        attributes = "".join(f" {name}={quoteattr(value)}" for name, value in {**self.root, **changed}.items())
        return f"<{self.name}{attributes}>{self.inside}</{self.name}>"


def unpacked(source: Path) -> bytes:
    """The XML of the file, which may be compressed (SVG 1.1 §1.2). Raises `BadFile`."""
    with source.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    return _checked(_unpacked(data) if data.startswith(_GZIP) else data)


def cleaned(data: bytes, max_pixels: int) -> Cleaned:
    """The drawing without anything outside it. `max_pixels` is for all pictures inside it. Raises `BadFile`."""
    return _Cleaner(max_pixels).clean(data)


class _Cleaner:
    def __init__(self, max_pixels: int, nested: int = 0) -> None:
        self._pixels = max_pixels
        self._nested = nested
        self._depth = 0
        self._length = 0
        self._root = Cleaned("", {}, "")
        self._parts: list[str] = []
        self._css: list[str] | None = None

    def clean(self, data: bytes) -> Cleaned:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            raise _refusal(error) from error
        except (LookupError, ValueError) as error:
            raise unsupported("an SVG drawing in this encoding") from error
        return replace(self._root, inside="".join(self._parts))

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._css = [] if _local(name) == "style" else self._css
        if self._depth > MAX_DEPTH:
            raise unsupported(f"an SVG drawing with more than {MAX_DEPTH} elements inside each other")
        kept = {key: value for key, own in attributes.items() if (value := self._kept(key, own)) is not None}
        if self._depth == 1:
            if _local(name) != "svg":
                raise corrupt("its first element is not svg")
            self._root = Cleaned(name, kept, "")
        else:
            self._add(f"<{name}" + "".join(f" {key}={quoteattr(value)}" for key, value in kept.items()) + ">")

    def _text(self, text: str) -> None:
        self._add(escape(text), self._parts if self._css is None else self._css)

    def _end(self, name: str) -> None:
        if self._css is not None and _local(name) == "style":
            self._parts.append(understood("".join(self._css)))
            self._css = None
        self._depth -= 1
        if self._depth:
            self._add(f"</{name}>")

    def _add(self, part: str, parts: list[str] | None = None) -> None:
        self._length += len(part)
        if self._length > MAX_BYTES:
            raise _too_large()
        (self._parts if parts is None else parts).append(part)

    def _kept(self, name: str, value: str) -> str | None:
        """The value of an attribute; None for a reference that leads outside."""
        if _local(name) != "href":
            return understood(value) if name in PAINTING else value
        reference = value.strip()
        if reference.startswith("data:"):
            return self._embedded(reference)
        return reference if reference.startswith("#") else None

    def _embedded(self, reference: str) -> str | None:
        """A picture or a drawing inside the drawing, with a true type. It counts among the pixels of all."""
        data = _data(reference)
        if media.is_svg(data[: media.HEAD_BYTES]):
            return self._drawing(_checked(_unpacked(data) if data.startswith(_GZIP) else data))
        try:
            kind = kinds.format_of(data[: kinds.HEAD_BYTES])
            if kind not in _EMBEDDED:
                raise unsupported(f"an SVG drawing with an {kind} picture inside it")
            with Image.open(io.BytesIO(data), formats=[kind]) as picture:
                check_size(*picture.size, self._pixels)
                self._pixels -= picture.width * picture.height
        except BadFile:
            raise
        except Exception as error:  # Pillow raises almost anything
            raise corrupt("a picture inside it cannot be read") from error
        return f"data:image/{_EMBEDDED[kind]};base64,{base64.b64encode(data).decode()}"

    def _drawing(self, data: bytes) -> str | None:
        if self._nested >= _MAX_NESTED:
            raise unsupported("an SVG drawing with drawings inside each other")
        cleaner = _Cleaner(self._pixels, self._nested + 1)
        text = cleaner.clean(data).text({})
        self._pixels = cleaner._pixels
        return f"data:image/svg+xml;base64,{base64.b64encode(text.encode()).decode()}"


def _data(reference: str) -> bytes:
    """The bytes of a data URL (RFC 2397)."""
    kind, _, text = reference.partition(",")
    data = urllib.parse.unquote_to_bytes(text)
    if not kind.rstrip().lower().endswith(";base64"):
        return data
    try:
        return base64.b64decode(b"".join(data.split()) + b"==")
    except binascii.Error as error:
        raise corrupt("a picture inside it cannot be read") from error


def _unpacked(data: bytes) -> bytes:
    unpacking = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacking.decompress(data, MAX_BYTES + 1)
    except zlib.error as error:
        raise corrupt("its compressed data are damaged") from error
    if not unpacking.eof and len(unpacked) <= MAX_BYTES:
        raise truncated()
    return unpacked


def _checked(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise _too_large()
    return data


def _too_large() -> BadFile:
    return too_much_metadata(f"an SVG drawing has up to {MAX_BYTES >> 20} MiB of XML")


def _refusal(error: expat.ExpatError) -> BadFile:
    if error.code in _CUT_SHORT:
        return truncated()
    return corrupt(f"its XML breaks a rule in line {error.lineno}")


def _local(name: str) -> str:
    return name.rpartition(":")[2]
