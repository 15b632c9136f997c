"""Renditions and facts of pictures: the processors, their options and limits. The work is in `picture/`."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.errors import BadConfiguration
from shared.model import Limits
from shared.processors.registry import Draft, processor

OUTPUT_FORMATS = ("webp", "avif", "png", "jpeg")
MAX_EDGE_PX = 16_383  # WebP's own limit
#: 50 megapixels take about 200 MB decoded.
MAX_PIXELS = 50_000_000
MOST_MAX_PIXELS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Renditions:
    """`sizes` are longest edges in pixels; each size is written in each format. `quality` is the encoder's, 1–100.

    `max_pixels` limits pictures that are decoded whole; a JPEG and a scan with one bit a pixel may have five times as many.
    `truncated`: a picture whose end is missing fails, or is delivered with the fact `incomplete`.
    """

    sizes: tuple[int, ...] = (1024, 512, 256)
    formats: tuple[str, ...] = ("webp",)
    quality: int = 80
    max_pixels: int = MAX_PIXELS
    truncated: str = "fail"

    def __post_init__(self) -> None:
        if not _all(self.sizes, lambda size: _is_whole(size, MAX_EDGE_PX)):
            raise BadConfiguration(f"options.sizes: {self.sizes!r}; list edges in pixels, each from 1 to {MAX_EDGE_PX}")
        if not _all(self.formats, lambda name: isinstance(name, str) and name in OUTPUT_FORMATS):
            raise BadConfiguration(f"options.formats: {self.formats!r}; list some of {', '.join(OUTPUT_FORMATS)}")
        if not _is_whole(self.quality, 100):
            raise BadConfiguration(f"options.quality: {self.quality!r}; write a whole number from 1 to 100")
        _check_max_pixels(self.max_pixels)
        if self.truncated not in ("fail", "deliver"):
            raise BadConfiguration(f'options.truncated: {self.truncated!r}; write "fail" or "deliver"')


def _check_max_pixels(value: object) -> None:
    if not _is_whole(value, MOST_MAX_PIXELS):
        raise BadConfiguration(f"options.max_pixels: {value!r}; write a whole number from 1 to {MOST_MAX_PIXELS}")


def _is_whole(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _all(values: object, good: Callable[[Any], bool]) -> bool:
    return isinstance(values, (list, tuple)) and len(values) > 0 and all(good(value) for value in values)


def _names(options: Renditions) -> Iterator[str]:
    return (f"{size}.{name}" for size in options.sizes for name in options.formats)


def _prepare() -> None:
    """Import Pillow, and make a picture smaller: it sets up codecs and tables on first use."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as name:
        source, folder = Path(name) / "source", Path(name)
        Image.new("RGB", (64, 64)).save(source, "JPEG")
        for each in (renditions(source, folder, Renditions((32,))), facts(source, folder, Facts())):
            list(each)


@processor(
    "image.renditions",
    version=2,
    options=Renditions,
    outputs=_names,
    limits=Limits(memory_bytes=1 << 30, seconds=120, output_bytes=64 << 20),
    prepare=_prepare,
)
def renditions(source: Path, folder: Path, options: Renditions) -> Iterator[Draft | Mapping[str, Any]]:
    """Shrink a picture to fit each size: upright, in sRGB, without metadata, never enlarged.

    An animation gives its first frame.
    """
    # Imported with the first picture: a service that only plans tasks never needs Pillow.
    from shared.processors import picture

    rules = picture.Rules(options.max_pixels, options.truncated == "deliver")
    yield from picture.render(source, folder, options.sizes, options.formats, options.quality, rules)


@dataclass(frozen=True, slots=True)
class Facts:
    """`max_pixels` is that of `image.renditions`: a picture beyond it is refused."""

    max_pixels: int = MAX_PIXELS

    def __post_init__(self) -> None:
        _check_max_pixels(self.max_pixels)


@processor(
    "image.facts",
    version=2,
    options=Facts,
    outputs=lambda _options: (),
    limits=Limits(memory_bytes=512 << 20, seconds=60, output_bytes=1 << 20),
    prepare=_prepare,
)
def facts(source: Path, _folder: Path, options: Facts) -> Iterator[Mapping[str, Any]]:
    """The facts `width_px` and `height_px` of the upright picture, and its `format`, read from its header."""
    from shared.processors import picture

    yield picture.describe(source, options.max_pixels)
