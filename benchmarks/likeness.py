"""The structural similarity (SSIM) of a rendition and an exact reduction of its picture, with Pillow alone."""

import functools
from pathlib import Path

from PIL import Image, ImageMath

#: Side of the square blocks that are compared, in pixels.
BLOCK = 8
#: Wang et al. 2004, "Image quality assessment": (0.01 · 255)² and (0.03 · 255)²
_C1, _C2 = 6.5025, 58.5225


def ssim(source: Path, rendition: Path) -> float:
    """The mean over blocks of the luma; 1 for equal pictures."""
    with Image.open(rendition) as picture:
        other = picture.convert("L").convert("F")
    exact = _reduced(source, other.size)
    means = {"a": exact.reduce(BLOCK), "b": other.reduce(BLOCK)}
    products = {"aa": _product(exact, exact), "bb": _product(other, other), "ab": _product(exact, other)}
    compared = ImageMath.lambda_eval(
        lambda of: (
            (2 * of["a"] * of["b"] + _C1)
            * (2 * (of["ab"] - of["a"] * of["b"]) + _C2)
            / (
                (of["a"] * of["a"] + of["b"] * of["b"] + _C1)
                * (of["aa"] - of["a"] * of["a"] + of["bb"] - of["b"] * of["b"] + _C2)
            )
        ),
        **means,
        **products,
    )
    mean = compared.resize((1, 1), Image.Resampling.BOX, box=(0, 0, exact.width // BLOCK, exact.height // BLOCK))
    return float(mean.getpixel((0, 0)))


def _product(one: Image.Image, other: Image.Image) -> Image.Image:
    product: Image.Image = ImageMath.lambda_eval(lambda of: of["one"] * of["other"], one=one, other=other)
    return product.reduce(BLOCK)


@functools.cache
def _reduced(source: Path, size: tuple[int, int]) -> Image.Image:
    """The luma of the whole picture, reduced by Lanczos in floating point."""
    with Image.open(source) as picture:
        return picture.convert("L").convert("F").resize(size, Image.Resampling.LANCZOS)
