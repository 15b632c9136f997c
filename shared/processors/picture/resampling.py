"""Lanczos resampling: by vector instructions where cykooz-resizer is installed, else by Pillow."""

from PIL import Image

from shared.processors.picture import memory

try:
    from cykooz_resizer import FilterType, ResizeAlg, ResizeOptions, Resizer
except ImportError:  # it has no wheel for Linux on ARM
    IS_FAST = False
else:
    IS_FAST = True

#: The modes of Pillow that cykooz-resizer takes, of those in which a picture is scaled.
_FAST_MODES = ("L", "RGB", "RGBA", "CMYK")
#: How many times the wanted size an averaged copy keeps, from which Pillow's resampling makes it (Pillow's own choice).
_REDUCING_GAP = 2.0

_OWN_BYTES = 1 << 20


def resized(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture at this size in pixels, without its metadata."""
    return _fast(picture, size) if IS_FAST and picture.mode in _FAST_MODES else by_pillow(picture, size)


def by_pillow(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The same, several times slower."""
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=_REDUCING_GAP)


def _fast(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    made = Image.new(picture.mode, size, None)  # every pixel is written below
    memory.require(_buffer_bytes(picture, size) + _OWN_BYTES)
    Resizer().resize_pil(picture, made, ResizeOptions(ResizeAlg.convolution(FilterType.lanczos3)))
    return made


def _buffer_bytes(picture: Image.Image, size: tuple[int, int]) -> int:
    """A picture that has one of its sizes already, and a copy multiplied by its transparency."""
    between = max(size[0] * picture.height, picture.width * size[1])
    multiplied = picture.width * picture.height if picture.mode == "RGBA" else 0
    return (between + multiplied) * (1 if picture.mode == "L" else 4)
