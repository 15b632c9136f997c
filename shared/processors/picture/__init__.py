"""Pictures: renditions and facts, with Pillow and a closed list of formats.

Apart from `image.py`, because every service reads options and only the processor sees pictures: Pillow costs 10 % of a cold start.

rendering ─┬ decoding ─ opening ─┬ kinds             the format, by its first bytes
           │                     ├ jpeg png gif ...  each container before Pillow sees it, and what Pillow reads wrongly
           │                     ├ heic svg          the formats of extras
           │                     └ orientation       upright, by EXIF data
           ├ resampling          smaller, by Lanczos resampling
           ├ colour              RGB or RGBA in sRGB
           ├ framing             the place of the picture in its box
           ├ watermark           the operator's picture in front
           └ encoding            the output formats
facts ─────── looks              hashes and the dominant colour
memory                           asked for before native code that fails badly without it
"""

from shared.processors.picture.encoding import OUTPUT_FORMATS
from shared.processors.picture.facts import describe
from shared.processors.picture.rendering import render

__all__ = ["OUTPUT_FORMATS", "describe", "render"]
