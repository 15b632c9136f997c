"""Files that are ZIP archives: documents, programs, maps. Their first entries name the kind."""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

ZIP = "application/zip"
JAR, APK = "application/java-archive", "application/vnd.android.package-archive"
OPEN_XML = "application/vnd.openxmlformats-officedocument."
#: APPNOTE §4.3.7: a local file header; its fixed part.
_ENTRY, _FIXED_BYTES = b"PK\x03\x04", 30
_STORED, _DEFLATED = 0, 8
_HAS_DESCRIPTOR = 1 << 3
#: Of one entry, unpacked: a few bytes can hold gigabytes.
_MAX_BYTES = 1 << 20
#: The part that a package is about (ECMA-376, part 2, §10.1.2), such as `…wordprocessingml.document.main+xml`.
_MAIN = re.compile(rb'ContentType="(application/vnd\.[\w.-]+?)\.main(?:\+xml)?"')
_MODEL_3D = b"application/vnd.ms-package.3dmanufacturing-3dmodel+xml"
#: Names of parts that the packages of one program have → its type without macros.
_PARTS = (
    (
        r"word/(?:document\d*\.xml|media/|_rels/|theme/|(?:styles|settings|fontTable|numbering|webSettings)\.xml)",
        "wordprocessingml.document",
    ),
    (r"xl/(?:workbook\.|media/|_rels/|theme/|worksheets/|(?:styles|sharedStrings)\.)", "spreadsheetml.sheet"),
    (r"ppt/(?:presentation\.xml|media/|_rels/|theme/|slides/|slideMasters/|slideLayouts/)", "presentationml.presentation"),
)
_OTHERS = (
    (r"AndroidManifest\.xml|classes\.dex", APK),
    (r"META-INF/MANIFEST\.MF", JAR),
    (r"[^/]+\.kml", "application/vnd.google-earth.kmz"),
    (r"3D/3dmodel\.model", "model/3mf"),
)
#: Also zipped: types whose name does not end in `+zip`.
_ZIPPED = re.compile(
    r"application/(?:zip|x-zip|x-zip-compressed|java-archive|x-java-archive|vnd\.openxmlformats-officedocument\..+"
    r"|vnd\.oasis\.opendocument\..+|vnd\.ms-[\w.-]+\.macroenabled\.12|vnd\.ms-visio\.[\w.]+|vnd\.sun\.xml\..+"
    r"|vnd\.android\.package-archive|vnd\.google-earth\.kmz|x-xpinstall|vnd\.ms-xpsdocument|oxps|vnd\.apple\.(?:pages|numbers|keynote)"
    r"|x-iwork-[\w-]+|x-ios-app|x-cbz|x-krita|vnd\.adobe\.indesign-idml-package|vnd\.etsi\.asic-[es]|x-python-wheel|appx|msix"
    r"|vnd\.ms-appx|x-nupkg|x-sketch|vnd\.recordare\.musicxml|x-webarchive\+xml|bacnet-xdd)"
    r"|model/(?:3mf|usd)|image/openraster|.+\+zip"
)


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    data: bytes


def is_zipped(content_type: str) -> bool:
    """Whether files of this type are ZIP archives."""
    return _ZIPPED.fullmatch(content_type) is not None


def is_plain(content_type: str) -> bool:
    """Whether this is a name of the archive itself."""
    return content_type in (ZIP, "application/x-zip", "application/x-zip-compressed")


def by_entries(head: bytes) -> str:
    """The type of a ZIP archive by as many of its first entries as lie within `head`."""
    entries = list(_entries(head))
    if not entries:
        return ZIP
    named = next((entry.data for entry in entries if entry.name == "mimetype"), b"").decode("latin-1").strip()
    if is_zipped(named):
        return named
    if entries[0].name.endswith((".usdc", ".usda", ".usd")):
        return "model/vnd.usdz+zip"
    types = next((entry.data for entry in entries if entry.name == "[Content_Types].xml"), b"")
    return _by_main_part(types) or _by_names([entry.name for entry in entries]) or ZIP


def _by_main_part(types: bytes) -> str | None:
    if _MODEL_3D in types:
        return "model/3mf"
    found = _MAIN.search(types)
    if not found:
        return None
    kind = found[1].decode().lower()
    return f"{kind}.12" if kind.endswith("macroenabled") else kind


def _by_names(names: list[str]) -> str | None:
    for part, kind in _PARTS:
        if any(re.match(part, name) for name in names):
            return OPEN_XML + kind
    return next((kind for part, kind in _OTHERS if any(re.fullmatch(part, name) for name in names)), None)


def _entries(head: bytes) -> Iterator[_Entry]:
    """Each entry that begins within `head`, with what is there of its content."""
    at = 0
    while head.startswith(_ENTRY, at) and at + _FIXED_BYTES <= len(head):
        flags, method = _number(head, at + 6, 2), _number(head, at + 8, 2)
        start = at + _FIXED_BYTES + _number(head, at + 26, 2)
        name = head[at + _FIXED_BYTES : start].decode(errors="replace")
        start += _number(head, at + 28, 2)
        end = None if flags & _HAS_DESCRIPTOR else start + _number(head, at + 18, 4)
        data, end = _content(head, start, end, method)
        yield _Entry(name, data)
        at = head.find(_ENTRY, end) if flags & _HAS_DESCRIPTOR else end
        if at < 0:
            return


def _content(head: bytes, start: int, end: int | None, method: int) -> tuple[bytes, int]:
    """The unpacked content, and where it ends; with a descriptor behind it, only the content itself shows its end."""
    packed = head[start:end]
    if method == _STORED:
        return packed[:_MAX_BYTES], start if end is None else end
    if method != _DEFLATED:
        return b"", start if end is None else end
    unpacking = zlib.decompressobj(wbits=-15)
    try:
        data = unpacking.decompress(packed, _MAX_BYTES)
    except zlib.error:
        return b"", start if end is None else end
    return data, end if end is not None else len(head) - len(unpacking.unused_data) if unpacking.eof else len(head)


def _number(head: bytes, at: int, size: int) -> int:
    return int.from_bytes(head[at : at + size], "little")
