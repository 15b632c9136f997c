"""The kind of an archive by its bytes, and the reader of that kind."""

from pathlib import Path

from shared.errors import BadFile
from shared.processors.archives.bounds import Bounds
from shared.processors.archives.member import Archive
from shared.processors.archives.tars import PACKINGS, Tar
from shared.processors.archives.zips import Zip

HEAD_BYTES = 64
#: A local header; the end of the directory of an empty archive; the mark of the first of several parts (APPNOTE.TXT §8.5.4).
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08PK\x03\x04", b"PK00PK\x03\x04")
_OTHERS = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"MSCF", "a cabinet archive"),
    (b"!<arch>\n", "an archive of ar"),
    (b"0707", "an archive of cpio"),
    (b"\x28\xb5\x2f\xfd", "a file packed by Zstandard"),
    (b"\x1f\x9d", "a file packed by compress"),
    (b"LZIP", "a file packed by lzip"),
    (b"\x04\x22\x4d\x18", "a file packed by LZ4"),
    (b"MZ", "a program that unpacks itself"),
)
_REMEDY = "send a zip or tar archive; the tar may be packed by gzip, bzip2 or xz"


def opened(source: Path, bounds: Bounds) -> Archive:
    """The reader of this archive. Raises `BadFile`."""
    with source.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(_ZIP):
        return Zip(source, bounds)
    packing = next((name for magic, (name, _) in PACKINGS.items() if head.startswith(magic)), "")
    tar = Tar(source, packing, bounds)
    if tar.is_tar():
        return tar
    other = next((kind for magic, kind in _OTHERS if head.startswith(magic)), "a file that is no archive")
    kind = f"a file packed by {packing} that holds no tar archive" if packing else other
    raise BadFile(f"{kind} cannot be read; {_REMEDY}", "unsupported")
