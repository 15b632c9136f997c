"""Renditions and facts of pictures: the processors and their limits. The work is in `picture/`."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.model import Limits
from shared.processors import extras
from shared.processors.image_options import Facts, Renditions
from shared.processors.registry import NO_ASSETS, Draft, processor, registered


def _names(options: Renditions) -> Iterator[str]:
    return (options.name_of(size, kind) for size in options.sizes for kind in options.formats)


def _assets(options: Renditions) -> Iterator[str]:
    if options.watermark:
        yield options.watermark.object


def _prepare() -> None:
    """Import Pillow and the extras, and make a picture smaller: Pillow sets up codecs and tables on first use."""
    from PIL import Image

    extras.load("heic", "svg")
    with tempfile.TemporaryDirectory() as name:
        source, folder = Path(name) / "source", Path(name)
        Image.new("RGB", (64, 64)).save(source, "JPEG")
        registered["image.renditions"].run(source, folder, {"sizes": [32]})
        registered["image.facts"].run(source, folder, {})


@processor(
    "image.renditions",
    version=2,
    options=Renditions,
    outputs=_names,
    limits=Limits(memory_bytes=1 << 30, seconds=120, output_bytes=64 << 20),
    prepare=_prepare,
    assets=_assets,
)
def renditions(
    source: Path, folder: Path, options: Renditions, assets: Mapping[str, Path] = NO_ASSETS
) -> Iterator[Draft | Mapping[str, Any]]:
    """Fit a picture to each size: upright, in sRGB, without metadata, never enlarged.

    An animation gives its first frame, unless the step keeps it.
    """
    # Imported with the first picture: a service that only plans tasks never needs Pillow.
    from shared.processors import picture

    yield from picture.render(source, folder, options, assets)


@processor(
    "image.facts",
    version=2,
    options=Facts,
    outputs=lambda _options: (),
    limits=Limits(memory_bytes=512 << 20, seconds=60, output_bytes=1 << 20),
    prepare=_prepare,
)
def facts(source: Path, _folder: Path, options: Facts) -> Iterator[Mapping[str, Any]]:
    """Facts of the upright picture, read from its header and its EXIF data; on request, from its pixels."""
    from shared.processors import picture

    yield from picture.describe(source, options)
