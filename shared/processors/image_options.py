"""Options of the picture processors, and their checks. No Pillow here: every service checks options."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from shared import naming
from shared.errors import BadConfiguration

OUTPUT_FORMATS = ("webp", "avif", "png", "jpeg")
FITS = ("inside", "cover", "pad")
GRAVITIES = ("center", "top", "bottom", "left", "right", "top-left", "top-right", "bottom-left", "bottom-right")
ADDED_FACTS = ("gps", "dhash", "thumbhash", "dominant_colour")
DEFAULT_QUALITY = 80
MAX_EDGE_PX = 16_383  # WebP's own limit
#: 50 megapixels take about 200 MB decoded.
MAX_PIXELS = 50_000_000
MAX_FRAMES = 500
MOST_MAX_FRAMES = 10_000
MOST_MAX_PIXELS = 1_000_000_000

_BOX = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}|transparent")


@dataclass(frozen=True, slots=True)
class Watermark:
    """A picture in front of each rendition: an object under `assets/` in the results bucket.

    `gravity` is the side or corner at which it stands, `margin` pixels from the edges, or a quarter of the shorter edge where that
    is less. `opacity` is a share; `scale` is its share of the rendition's width, or less where its height does not fit.
    """

    object: str
    gravity: str = "bottom-right"
    margin: int = 16
    opacity: float = 0.5
    scale: float = 0.2

    def __post_init__(self) -> None:
        if not (isinstance(self.object, str) and naming.is_asset(self.object)):
            remedy = 'write the name of an object in the results bucket such as "assets/logo.png"'
            raise BadConfiguration(f"options.watermark.object: {self.object!r}; {remedy}")
        _check_choice("watermark.gravity", self.gravity, GRAVITIES)
        if not _is_whole(self.margin, MAX_EDGE_PX, least=0):
            raise BadConfiguration(f"options.watermark.margin: {self.margin!r}; write a whole number from 0 to {MAX_EDGE_PX}")
        _check_share("watermark.opacity", self.opacity)
        _check_share("watermark.scale", self.scale)


@dataclass(frozen=True, slots=True)
class Renditions:
    """`sizes` are longest edges in pixels, or boxes such as `400x300`; each size is written in each format.

    `name` is the pattern of the outputs' names, in which the file's stem has replaced `{stem}` before the work. `fit`: the whole
    picture inside the box; the box covered, what stands over cut off; or the box filled up with `background`. `gravity` is the part
    of the picture that stays, and the side of the box on which it stands. `background` is also the colour behind a transparent
    picture in a format without transparency. `quality` is the encoder's, 1–100, for all formats or for each. `webp_method` is the
    effort of the WebP encoder, from 0 for speed to 6 for small files. `animation`: a GIF or WebP shows its first frame, or is kept
    in a WebP of at most `max_frames` frames, whose pixels all count. `max_pixels` limits pictures that are decoded whole; a JPEG
    and a scan with one bit a pixel may have five times as many. `truncated`: a picture whose end is missing fails, or is delivered
    with the fact `incomplete`.
    """

    sizes: tuple[int | str, ...] = (1024, 512, 256)
    formats: tuple[str, ...] = ("webp",)
    name: str = "{size}.{format}"
    fit: str = "inside"
    gravity: str = "center"
    background: str = "#ffffff"
    quality: int | Mapping[str, int] = DEFAULT_QUALITY
    webp_method: int = 4
    animation: str = "first"
    max_frames: int = MAX_FRAMES
    max_pixels: int = MAX_PIXELS
    truncated: str = "fail"
    watermark: Watermark | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "watermark", _watermark(self.watermark))
        if not _all(self.sizes, _is_size):
            remedy = f'list edges in pixels, each from 1 to {MAX_EDGE_PX}, or boxes such as "400x300"'
            raise BadConfiguration(f"options.sizes: {self.sizes!r}; {remedy}")
        if not _all(self.formats, lambda name: isinstance(name, str) and name in OUTPUT_FORMATS):
            raise BadConfiguration(f"options.formats: {self.formats!r}; list some of {', '.join(OUTPUT_FORMATS)}")
        _check_name(self)
        _check_choice("fit", self.fit, FITS)
        _check_choice("gravity", self.gravity, GRAVITIES)
        if not (isinstance(self.background, str) and _COLOUR.fullmatch(self.background)):
            raise BadConfiguration(
                f'options.background: {self.background!r}; write a colour such as "#ffffff", or "transparent"'
            )
        _check_quality(self.quality)
        if not _is_whole(self.webp_method, 6, least=0):
            raise BadConfiguration(f"options.webp_method: {self.webp_method!r}; write a whole number from 0 to 6")
        _check_choice("animation", self.animation, ("first", "keep"))
        if not _is_whole(self.max_frames, MOST_MAX_FRAMES):
            raise BadConfiguration(f"options.max_frames: {self.max_frames!r}; write a whole number from 1 to {MOST_MAX_FRAMES}")
        _check_max_pixels(self.max_pixels)
        _check_choice("truncated", self.truncated, ("fail", "deliver"))

    def name_of(self, size: int | str, kind: str) -> str:
        """The name of an output."""
        return self.name.replace("{size}", str(size)).replace("{format}", kind)

    def quality_of(self, kind: str) -> int:
        """The quality of this format."""
        return self.quality if isinstance(self.quality, int) else self.quality.get(kind, DEFAULT_QUALITY)


@dataclass(frozen=True, slots=True)
class Facts:
    """`max_pixels` is that of `image.renditions`. `add` names facts that are made on request."""

    max_pixels: int = MAX_PIXELS
    add: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_max_pixels(self.max_pixels)
        if self.add not in ((), []) and not _all(self.add, lambda name: isinstance(name, str) and name in ADDED_FACTS):
            raise BadConfiguration(f"options.add: {self.add!r}; list some of {', '.join(ADDED_FACTS)}")


def box_of(size: int | str) -> tuple[int, int]:
    """Width and height in pixels of a size: `512` is a square, `400x300` a box."""
    if isinstance(size, int):
        return size, size
    width, height = size.split("x")
    return int(width), int(height)


def _is_size(value: object) -> bool:
    if isinstance(value, str):
        return bool(_BOX.fullmatch(value)) and max(box_of(value)) <= MAX_EDGE_PX
    return _is_whole(value, MAX_EDGE_PX)


def _check_name(options: Renditions) -> None:
    name = options.name
    is_whole = isinstance(name, str) and "{size}" in name and "{format}" in name
    made = [options.name_of(size, kind) for size in options.sizes for kind in options.formats] if is_whole else []
    longest = [one.replace(naming.STEM, "s" * naming.MAX_STEM_BYTES) for one in made]
    if not is_whole or not all(naming.is_output(one) and not set(one) & set("{}") for one in longest):
        limit = f"of up to {naming.MAX_OUTPUT_BYTES} bytes without a slash, where {{stem}} counts {naming.MAX_STEM_BYTES}"
        raise BadConfiguration(f'options.name: {name!r}; write a name {limit}, such as "{{stem}}_{{size}}.{{format}}"')


def _watermark(value: object) -> Watermark | None:
    if value is None or isinstance(value, Watermark):
        return value
    names = [option.name for option in fields(Watermark)]
    if not isinstance(value, Mapping) or "object" not in value:
        raise BadConfiguration(f'options.watermark: {value!r}; write a table such as {{ object = "assets/logo.png" }}')
    for unknown in (name for name in value if name not in names):
        raise BadConfiguration(f"options.watermark.{unknown}: unknown; a watermark has the options {', '.join(names)}")
    return Watermark(**value)


def _check_share(option: str, value: object) -> None:
    if not (isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 1):
        raise BadConfiguration(f"options.{option}: {value!r}; write a number above 0, up to 1")


def _check_choice(option: str, value: object, choices: tuple[str, ...]) -> None:
    if not (isinstance(value, str) and value in choices):
        *others, last = (f'"{choice}"' for choice in choices)
        raise BadConfiguration(f"options.{option}: {value!r}; write {', '.join(others)} or {last}")


def _check_quality(value: object) -> None:
    if isinstance(value, Mapping):
        for kind, quality in value.items():
            if kind not in OUTPUT_FORMATS:
                raise BadConfiguration(f"options.quality.{kind}: unknown; write some of {', '.join(OUTPUT_FORMATS)}")
            if not _is_whole(quality, 100):
                raise BadConfiguration(f"options.quality.{kind}: {quality!r}; write a whole number from 1 to 100")
    elif not _is_whole(value, 100):
        remedy = "write a whole number from 1 to 100, or a table such as { webp = 80 }"
        raise BadConfiguration(f"options.quality: {value!r}; {remedy}")


def _check_max_pixels(value: object) -> None:
    if not _is_whole(value, MOST_MAX_PIXELS):
        raise BadConfiguration(f"options.max_pixels: {value!r}; write a whole number from 1 to {MOST_MAX_PIXELS}")


def _is_whole(value: object, most: int, least: int = 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _all(values: object, good: Callable[[Any], bool]) -> bool:
    return isinstance(values, (list, tuple)) and len(values) > 0 and all(good(value) for value in values)
