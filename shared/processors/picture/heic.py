"""HEIC and HEIF, with the extra heic: libheif decodes the main picture and turns it upright (ISO 23008-12)."""

import re
from pathlib import Path
from typing import Any

from PIL import Image, ImageFile

from shared.processors import extras
from shared.processors.picture import boxes, greys, nclx, orientation
from shared.processors.picture.prepared import Prepared
from shared.processors.picture.refusals import corrupt, unsupported

_BITS_OF_GREY = 16
_HEVC = b"hvc1"
#: From the kind of the box `hvcC` to the byte whose last two bits are the bytes of a length, less one (ISO 14496-15 §8.3.2.1).
_LENGTH_BYTES_AT = 4 + 21
#: Three bytes that no unit of HEVC has inside. At its end, some writers leave zeros.
_NEVER_INSIDE = re.compile(rb"\0\0[\0-\2]")
_MOST_TRAILING_BYTES = 4


def prepare(source: Path) -> Prepared:
    """Raises `BadFile` without the extra, and for another codec than HEVC."""
    if not extras.is_installed("heic"):
        raise unsupported("a HEIC file", extra="heic")
    meta, end = boxes.meta(source)
    kinds = boxes.kinds(meta)
    if kinds and _HEVC not in kinds.values():
        raise unsupported("a HEIF file without HEVC pixels")
    if _is_overwritten(source, meta):
        raise corrupt("zeros or foreign bytes stand among its pixels")
    return Prepared("HEIF", source, mend=_mend, is_short=end > source.stat().st_size)


def stored_orientation(source: Path) -> int:
    """The orientation by the container, as a number of EXIF data, which do not count (ISO 23008-12 §6.5.10)."""
    turned = stored = Image.frombytes("L", (2, 2), bytes(range(4)))
    for kind, data in boxes.properties(boxes.meta(source)[0]):
        if kind == b"irot" and (quarters := data[0] & 3):
            turned = turned.transpose(orientation.QUARTERS_LEFT[quarters - 1])
        if kind == b"imir":
            turned = turned.transpose(Image.Transpose.FLIP_LEFT_RIGHT if data[0] & 1 else Image.Transpose.FLIP_TOP_BOTTOM)
    return orientation.between(stored, turned)


def _is_overwritten(source: Path, meta: bytes) -> bool:
    """Whether coded pixels break the rules of HEVC units (ITU-T H.265 §7.4.2); libde265 would draw something."""
    kinds, at = boxes.kinds(meta), meta.find(b"hvcC") + _LENGTH_BYTES_AT
    length_bytes = (meta[at] & 3) + 1 if len(meta) > at else 4
    left = source.stat().st_size
    with source.open("rb") as stream:
        for item, start, length in boxes.places(meta):
            if kinds.get(item) != _HEVC:
                continue
            left -= length
            if left < 0:
                return False  # libheif judges places that overlap or lie behind the end
            stream.seek(start)
            data = stream.read(length)
            if len(data) == length and not _are_units(data, length_bytes):
                return True
    return False


def _are_units(data: bytes, length_bytes: int) -> bool:
    at = 0
    while at < len(data):
        end = at + length_bytes + int.from_bytes(data[at : at + length_bytes], "big")
        if end > len(data) or _NEVER_INSIDE.search(data, at + length_bytes, end - _MOST_TRAILING_BYTES):
            return False
        at = end
    return True


def _mend(picture: Image.Image) -> Image.Image:
    return greys.to_eight_bits(picture, _BITS_OF_GREY) if picture.mode.startswith("I;16") else picture


class _Heic(ImageFile.ImageFile):
    """The main picture. The plugin of pi-heif also changes EXIF data, and fails where they are broken."""

    format = "HEIF"
    _main: Any

    def _open(self) -> None:
        import pi_heif  # an extra

        # A thread takes address space, which is limited. Thumbnails, depth and gain maps are no pictures.
        pi_heif.options.DECODE_THREADS = 1
        pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False
        file = pi_heif.open_heif(self.fp, convert_hdr_to_8bit=True, remove_stride=False)
        self._main = file[file.primary_index]
        self._size, self._mode, self.tile = self._main.size, self._main.mode, []
        self.info = {name: self._main.info[name] for name in ("exif", "icc_profile", "bit_depth") if self._main.info.get(name)}
        if "icc_profile" not in self.info and (profile := nclx.profile(self._main.info.get("nclx_profile"))):
            self.info["icc_profile"] = profile

    def load(self) -> Any:
        if self._main:
            data = self._main.data
            self.load_prepare()
            self.frombytes(data, "raw", (self._main.mode, self._main.stride))
            self._main = None
        return super().load()


Image.register_open(_Heic.format, _Heic)
