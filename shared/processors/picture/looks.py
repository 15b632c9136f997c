"""The looks of a small picture: two perceptual hashes and its dominant colour."""

import base64
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from operator import mul

from PIL import Image

_OPAQUE = 128


def dhash(picture: Image.Image) -> str:
    """64 bits in hexadecimal: whether each of 9 × 8 greys is darker than its right neighbour, in front of white."""
    rgba = picture.convert("RGBA")
    grey = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("L")
    pixels = grey.resize((9, 8), Image.Resampling.LANCZOS).tobytes()
    bits = (pixels[row * 9 + place + 1] > pixels[row * 9 + place] for row in range(8) for place in range(8))
    return f"{sum(bit << (63 - place) for place, bit in enumerate(bits)):016x}"


def dominant_colour(picture: Image.Image) -> str:
    """The mean of the fullest of 4,096 equal bins of RGB, such as `#2a6f97`; empty where nothing is opaque."""
    reds, greens, blues, alphas = _channels(picture)
    pixels = Counter((r, g, b) for r, g, b, a in zip(reds, greens, blues, alphas, strict=True) if a >= _OPAQUE)
    bins: Counter[tuple[int, ...]] = Counter()
    for pixel, count in pixels.items():
        bins[tuple(channel >> 4 for channel in pixel)] += count
    if not bins:
        return ""
    ((fullest, total),) = bins.most_common(1)
    inside = [(pixel, count) for pixel, count in pixels.items() if tuple(channel >> 4 for channel in pixel) == fullest]
    mean = (round(sum(pixel[place] * count for pixel, count in inside) / total) for place in range(3))
    return "#" + "".join(f"{channel:02x}" for channel in mean)


def thumbhash(picture: Image.Image) -> str:
    """The ThumbHash of a picture of at most 100 × 100 pixels, in base64 (github.com/evanw/thumbhash)."""
    width, height = picture.size
    light, yellow, red, alpha = _luma_and_chroma(picture)
    has_alpha = min(alpha) < 1
    most = 5 if has_alpha else 7
    across, down = (max(1, _rounded(most * length / max(width, height))) for length in (width, height))
    waves = [_cosines(light, width, max(3, across), max(3, down)), *(_cosines(one, width, 3, 3) for one in (yellow, red))]
    (l_mean, l_scale, _), (p_mean, p_scale, _), (q_mean, q_scale, _) = waves
    head = _rounded(63 * l_mean) | _rounded(31.5 + 31.5 * p_mean) << 6 | _rounded(31.5 + 31.5 * q_mean) << 12
    head |= _rounded(31 * l_scale) << 18 | has_alpha << 23
    tail = (down if width > height else across) | _rounded(63 * p_scale) << 3 | _rounded(63 * q_scale) << 9
    data = head.to_bytes(3, "little") + (tail | (width > height) << 15).to_bytes(2, "little")
    if has_alpha:
        waves.append(_cosines(alpha, width, 5, 5))
        data += bytes([_rounded(15 * waves[3][0]) | _rounded(15 * waves[3][1]) << 4])
    nibbles = [_rounded(15 * factor) for wave in waves for factor in wave[2]]
    nibbles += [0] * (len(nibbles) % 2)
    data += bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))
    return base64.b64encode(data).decode()


def _luma_and_chroma(picture: Image.Image) -> tuple[list[float], list[float], list[float], list[float]]:
    """Lightness, yellow − blue, red − green and opacity, of the picture in front of its own mean colour."""
    *colours, alphas = _channels(picture)
    alpha = [value / 255 for value in alphas]
    seen = []
    for channel in colours:
        weighted = [value / 255 * opacity for value, opacity in zip(channel, alpha, strict=True)]
        mean = sum(weighted) / (sum(alpha) or 1)
        seen.append([mean * (1 - opacity) + value for value, opacity in zip(weighted, alpha, strict=True)])
    pixels = list(zip(*seen, strict=True))
    light = [(r + g + b) / 3 for r, g, b in pixels]
    return light, [(r + g) / 2 - b for r, g, b in pixels], [r - g for r, g, _b in pixels], alpha


def _cosines(channel: Sequence[float], width: int, across: int, down: int) -> tuple[float, float, list[float]]:
    """The mean of the channel, its largest cosine factor, and all factors between 0 and 1 by that scale."""
    height = len(channel) // width
    rows = [channel[start : start + width] for start in range(0, len(channel), width)]
    sums = [[sum(map(mul, row, wave)) for row in rows] for wave in _waves(width, across)]
    downwards = list(_waves(height, down))
    factors = [
        sum(map(mul, sums[x], downwards[y])) / len(channel)
        for y in range(down)
        for x in range(across)
        if x * down < across * (down - y)
    ]
    scale = max(map(abs, factors[1:]))
    return factors[0], scale, [0.5 + 0.5 / scale * factor if scale else 0.0 for factor in factors[1:]]


def _waves(length: int, count: int) -> Iterator[list[float]]:
    return ([math.cos(math.pi / length * wave * (place + 0.5)) for place in range(length)] for wave in range(count))


def _channels(picture: Image.Image) -> tuple[bytes, bytes, bytes, bytes]:
    data = picture.convert("RGBA").tobytes()
    return data[0::4], data[1::4], data[2::4], data[3::4]


def _rounded(value: float) -> int:
    return math.floor(value + 0.5)
