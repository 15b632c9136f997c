"""Zipped XML, the container of Office and OpenDocument files.

Nothing is unpacked to disk. A document type is refused, and with it every entity.
"""

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol
from xml.parsers import expat

from shared.errors import BadFile
from shared.processors.documents.reader import corrupt, password, unpacks_too_large

MAX_PARTS = 50_000
#: Of all parts that are read from one document, unpacked.
MAX_BYTES = 512 << 20
#: Longest tag with its attributes. The parser begins a tag anew with each block until it has the whole.
MAX_TAG_BYTES = 8 << 20
_BLOCK_BYTES = 1 << 16
_SVG = "urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0 "
#: Compressions of OPC (ECMA-376-2 §C.3) and of OpenDocument packages.
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGED = (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, KeyError, zlib.error)


class Handler(Protocol):
    """Takes the elements of a part. Names of elements are local ones, such as `p`; see `attribute` for attributes."""

    def start(self, tag: str, found: Mapping[str, str]) -> None:
        """An element begins."""

    def end(self, tag: str) -> None:
        """An element ends."""

    def text(self, characters: str) -> None:
        """A piece of the text between tags."""


class Package:
    """An open container. Every method raises `BadFile`."""

    def __init__(self, source: Path) -> None:
        self._left = MAX_BYTES
        try:
            self._zip = zipfile.ZipFile(source)
        except _DAMAGED:
            raise corrupt("document") from None
        self._parts = {info.filename: info for info in self._zip.infolist()}
        if len(self._parts) > MAX_PARTS:
            raise unpacks_too_large(f"the document has more than {MAX_PARTS:,} parts")

    def __contains__(self, name: str) -> bool:
        return name in self._parts

    def names(self) -> Iterator[str]:
        """The names of its parts."""
        yield from self._parts

    def read(self, name: str, most: int = 1 << 20) -> bytes:
        """The first bytes of a part; empty where it is missing."""
        if name not in self._parts:
            return b""
        with self._open(name) as part:
            return part.read(most)

    def parse(self, name: str, handler: Handler) -> None:
        """Give a part to the handler; nothing where it is missing."""
        if name in self._parts:
            for _ in self.walk(name, handler):
                pass

    def walk(self, name: str, handler: Handler) -> Iterator[None]:
        """The same in blocks, so that the handler can be emptied after each of them. The part must be there."""
        parser, taken = _parser(handler), 0
        try:
            for block in self._blocks(name):
                taken += len(block)
                parser.Parse(block, False)
                if taken - max(parser.CurrentByteIndex, 0) > MAX_TAG_BYTES:
                    raise unpacks_too_large(f"the document has a tag of more than {MAX_TAG_BYTES >> 20} MiB")
                yield
            parser.Parse(b"", True)
            yield
        except (expat.ExpatError, LookupError, ValueError):  # the last two: an encoding that the parser has not
            raise corrupt("document") from None

    def _blocks(self, name: str) -> Iterator[bytes]:
        with self._open(name) as part:
            while block := part.read(_BLOCK_BYTES):
                self._left -= len(block)
                if self._left < 0:
                    raise unpacks_too_large(f"the document unpacks to more than {MAX_BYTES >> 20} MiB")
                yield block

    @contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        if name not in self._parts:
            raise BadFile(f"the document lacks its part {name[:100]}; save it anew", "corrupt")
        if self._parts[name].compress_type not in _COMPRESSIONS:
            raise corrupt("document")
        try:
            with self._zip.open(self._parts[name]) as part:
                yield part
        except _DAMAGED:
            raise corrupt("document") from None
        except RuntimeError:  # the part is encrypted
            raise password("document") from None


def attribute(found: Mapping[str, str], name: str) -> str:
    """The attribute of this local name; of two, the one with a namespace: `r:id` rather than `id`."""
    return next((value for key, value in found.items() if key.endswith(f" {name}")), found.get(name, ""))


def _parser(handler: Handler) -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = lambda tag, found: handler.start(_local(tag), found)
    parser.EndElementHandler = lambda tag: handler.end(_local(tag))
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = _refuse
    return parser


def _local(tag: str) -> str:
    """The name without its namespace, except for `svg:title`, which OpenDocument has beside `text:title`."""
    name = tag.rpartition(" ")[2]
    return f"svg:{name}" if tag.startswith(_SVG) else name


def _refuse(*_declared: object) -> None:
    raise BadFile("the document declares a document type, which no program writes; save it anew", "corrupt")
