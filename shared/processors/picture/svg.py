"""SVG drawings, with the extra svg: resvg draws them at the largest wanted size, from cleaned XML."""

import io
import math
import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image, ImageFile

from shared.processors import extras
from shared.processors.image_options import MAX_EDGE_PX
from shared.processors.picture.framing import Size
from shared.processors.picture.prepared import Prepared
from shared.processors.picture.refusals import corrupt, unsupported
from shared.processors.picture.svg_cleaning import Cleaned, cleaned, unpacked

#: CSS pixels (CSS Values 3 §6.2); `em` and `ex` are those of the default font size. A percentage has no size of its own.
_UNITS = {"": 1, "px": 1, "pt": 4 / 3, "pc": 16, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96, "em": 16, "ex": 8}
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_LENGTH = re.compile(rf"\s*({_NUMBER})\s*(|px|pt|pc|mm|cm|in|em|ex)\s*")
_VIEW = re.compile(rf"\s*({_NUMBER})(?:\s*,\s*|\s+)({_NUMBER})(?:\s*,\s*|\s+)({_NUMBER})(?:\s*,\s*|\s+)({_NUMBER})\s*")
#: Of a drawing that states none (CSS 2.2 §10.3.2).
_DEFAULT_SIZE = (300.0, 150.0)
_FONT = "Noto Sans"


class Drawing(io.BytesIO):
    """A cleaned drawing, as a file that Pillow opens; `size` is its own, `most` the largest at which it is drawn."""

    def __init__(self, parts: Cleaned, max_pixels: int) -> None:
        super().__init__(b"<svg")
        self._parts = parts
        self.size = _size(parts)
        self.most = _most(self.size, max_pixels)

    def drawn(self, size: Size) -> Image.Image:
        """The drawing in RGBA. Raises `BadFile` where resvg refuses it."""
        import resvg_py  # an extra

        text = self._parts.text({"width": str(size[0]), "height": str(size[1]), **self._view()})
        try:
            png = resvg_py.svg_to_bytes(
                svg_string=text,
                skip_system_fonts=True,
                font_files=_fonts() if "text" in text else [],
                font_family=_FONT,
                serif_family=_FONT,
                sans_serif_family=_FONT,
                monospace_family=_FONT,
            )
        except ValueError as error:
            if "limit" in str(error):
                raise unsupported("an SVG drawing with so many elements") from error
            raise corrupt("its elements cannot be drawn") from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # of Rust; it is no Exception, and no module exports it
                raise
            raise corrupt("its elements cannot be drawn") from error
        with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
            return picture.convert("RGBA")

    def _view(self) -> Mapping[str, str]:
        """Attributes that fit the drawing into any size. It may be distorted by a pixel, or edges would stay empty."""
        width, height = self.size
        view = _view(self._parts)
        if not view:
            return {"viewBox": f"0 0 {width:.9g} {height:.9g}", "preserveAspectRatio": "none"}
        return {"preserveAspectRatio": "none"} if math.isclose(width * view[1], height * view[0], rel_tol=1e-3) else {}


class _Svg(ImageFile.ImageFile):
    format = "SVG"
    _drawing: Drawing | None

    def _open(self) -> None:
        assert isinstance(self.fp, Drawing)
        self._drawing, self._size, self._mode, self.tile = self.fp, self.fp.most, "RGBA", []
        self.info["own_size"] = tuple(max(1, round(length)) for length in self.fp.size)

    def wanted(self, size: Size) -> None:
        """Draw it at this size."""
        self._size = size

    def load(self) -> Any:
        if self._drawing:
            self.im, self._drawing = self._drawing.drawn(self.size).im, None
        return super().load()


Image.register_open(_Svg.format, _Svg)


def prepare(source: Path, max_pixels: int) -> Prepared:
    """Raises `BadFile`, also without the extra."""
    if not extras.is_installed("svg"):
        raise unsupported("an SVG drawing", extra="svg")
    return Prepared("SVG", Drawing(cleaned(unpacked(source), max_pixels), max_pixels))


def _size(parts: Cleaned) -> tuple[float, float]:
    """Width and height in CSS pixels: as stated, else in the shape of the view box, else the default."""
    width, height = (_length(parts.root.get(name, "")) for name in ("width", "height"))
    if width == 0 or height == 0:
        raise corrupt("its width or height is 0")
    view = _view(parts)
    if not view:
        return width or _DEFAULT_SIZE[0], height or _DEFAULT_SIZE[1]
    if width and height:
        return width, height
    if width or height:
        scale = width / view[0] if width else (height or 0) / view[1]
        return view[0] * scale, view[1] * scale
    return view


def _most(size: tuple[float, float], max_pixels: int) -> Size:
    """In its shape, with the longest edge that a rendition may have, and no more pixels than the limit."""
    scale = MAX_EDGE_PX / max(size)
    edges = [max(1.0, length * scale) for length in size]
    shrink = min(1.0, math.sqrt(max_pixels / (edges[0] * edges[1])))
    return max(1, int(edges[0] * shrink)), max(1, int(edges[1] * shrink))


def _length(text: str) -> float | None:
    found = _LENGTH.fullmatch(text)
    value = float(found[1]) * _UNITS[found[2]] if found else math.inf
    return abs(value) if math.isfinite(value) else None


def _view(parts: Cleaned) -> tuple[float, float] | None:
    """Width and height of the view box; None without a valid one."""
    found = _VIEW.fullmatch(parts.root.get("viewBox", ""))
    numbers = [float(number) for number in found.groups()] if found else []
    is_valid = all(map(math.isfinite, numbers)) and all(number > 0 for number in numbers[2:])
    return (numbers[2], numbers[3]) if numbers and is_valid else None


@cache
def _fonts() -> list[str]:
    """The files of the font that the extra brings: text looks the same on every machine."""
    found = find_spec("fontpkg_noto_sans")
    folders = (found.submodule_search_locations if found else None) or []
    return [str(path) for folder in folders for path in sorted(Path(folder).rglob("*.ttf"))]
