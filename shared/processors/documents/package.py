"""Zipped XML, the container of Office and OpenDocument files.

Nothing is unpacked to disk. A document type is refused, and with it every entity.
"""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from xml.parsers import expat

from shared.errors import BadFile
from shared.processors.documents.reader import corrupt

MAX_PARTS = 50_000
#: Of all parts that are read from one document, unpacked.
MAX_BYTES = 512 << 20
_BLOCK_BYTES = 1 << 16

Start = Callable[[str, Mapping[str, str]], None]


class Package:
    """An open container. `kind` is its name in messages."""

    def __init__(self, source: Path, kind: str) -> None:
        """Raises `BadFile`."""
        self._kind = kind
        self._left = MAX_BYTES
        try:
            self._zip = zipfile.ZipFile(source)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
            raise corrupt(kind) from None
        self._parts = {info.filename: info for info in self._zip.infolist()}
        if len(self._parts) > MAX_PARTS:
            raise BadFile(f"the {kind} has more than {MAX_PARTS:,} parts", "unpacks_too_large")

    def __contains__(self, name: str) -> bool:
        return name in self._parts

    def names(self) -> Iterator[str]:
        """The names of its parts."""
        yield from self._parts

    def read(self, name: str, most: int = 1 << 20) -> bytes:
        """The first bytes of a part; empty where it is missing. Raises `BadFile`."""
        if name not in self._parts:
            return b""
        with self._open(name) as part:
            return part.read(most)

    def parse(self, name: str, start: Start, end: Callable[[str], None], text: Callable[[str], None]) -> None:
        """Call these for each element and text of a part. Raises `BadFile`.

        Names of elements and attributes are local ones.
        """
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = lambda tag, found: start(_local(tag), {_local(key): value for key, value in found.items()})
        parser.EndElementHandler = lambda tag: end(_local(tag))
        parser.CharacterDataHandler = text
        parser.StartDoctypeDeclHandler = self._refuse
        try:
            with self._open(name) as part:
                while block := part.read(_BLOCK_BYTES):
                    self._left -= len(block)
                    if self._left < 0:
                        raise BadFile(f"the {self._kind} unpacks to more than {MAX_BYTES >> 20} MB", "unpacks_too_large")
                    parser.Parse(block, False)
            parser.Parse(b"", True)
        except expat.ExpatError:
            raise corrupt(self._kind) from None

    @contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        try:
            with self._zip.open(self._parts[name]) as part:
                yield part
        except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno:
                raise
            raise corrupt(self._kind) from None
        except KeyError:
            raise corrupt(self._kind) from None
        except RuntimeError:  # the part is encrypted
            raise BadFile(f"the {self._kind} is locked with a password; save it without one", "password") from None
        except Exception as error:
            if type(error).__module__ == "zlib":
                raise corrupt(self._kind) from None
            raise

    def _refuse(self, *_declared: object) -> None:
        raise BadFile(f"the {self._kind} declares a document type, which no program writes; save it anew", "corrupt")


def _local(name: str) -> str:
    return name.rpartition(" ")[2]
