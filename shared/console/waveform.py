"""The waveform of a sound as a path of SVG, from `waveform.json` in the format of audiowaveform."""

import json
from collections.abc import Sequence

from shared.cloud.protocols import Cloud
from shared.model import Json

NAME = "waveform.json"
MAX_BYTES = 1 << 20
#: Size of the drawing in its own units, and most spans that are drawn: more are finer than a screen.
WIDTH, HEIGHT = 1000, 100
MAX_SPANS = 1000


def read(outputs: Sequence[Json], cloud: Cloud) -> str:
    """The path of the first waveform among these outputs; empty without one that can be read."""
    found = next((one for one in outputs if one["name"] == NAME and one["size"] <= MAX_BYTES), None)
    return path(cloud.results.read(found["object"]) or b"") if found else ""


def path(data: bytes) -> str:
    """The outline of the lowest and highest values; empty for other data. The sandbox's child wrote them."""
    try:
        stated = json.loads(data)
        values, half = stated["data"], 1 << int(stated["bits"]) - 1
        pairs = [(_scaled(low, half), _scaled(high, half)) for low, high in zip(values[::2], values[1::2], strict=True)]
    except (ValueError, LookupError, TypeError, RecursionError, OverflowError):
        return ""
    spans = _merged(pairs)
    step = WIDTH / max(len(spans), 1)
    above = [f"{at * step:.1f} {high:.1f}" for at, (_, high) in enumerate(spans)]
    below = [f"{at * step:.1f} {low:.1f}" for at, (low, _) in enumerate(spans)]
    return f"M{'L'.join([*above, *reversed(below)])}Z" if spans else ""


def _scaled(value: int, half: int) -> float:
    """The height of a value from the top of the drawing."""
    if not isinstance(value, int):
        raise TypeError("a sample is a whole number")
    return min(max(HEIGHT / 2 * (1 - value / half), 0), HEIGHT)


def _merged(pairs: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most `MAX_SPANS` spans, each as low and as high as those that it stands for. Lower values are larger here."""
    length = -(-len(pairs) // MAX_SPANS) or 1
    blocks = (pairs[start : start + length] for start in range(0, len(pairs), length))
    return [(max(low for low, _ in block), min(high for _, high in block)) for block in blocks]
