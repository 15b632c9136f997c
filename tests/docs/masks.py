"""Compares printed text with real text: `…` stands for any characters of a line; ids and times may differ."""

import re

_MASKS = (
    (re.compile(r"\b[a-z2-7]{26}\b"), "<id>"),
    (re.compile(r"\b1[67]\d{14}\b"), "<generation>"),
    (re.compile(r'(?<="cpu_seconds": )[\d.e-]+'), "<seconds>"),
    (re.compile(r'(?<="peak_bytes": )\d+'), "<bytes>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "<time>"),
)


def masked(text: str) -> str:
    """The text with ids, generations, times and CPU seconds replaced by placeholders."""
    for pattern, placeholder in _MASKS:
        text = pattern.sub(placeholder, text)
    return text


def agrees(printed: str, real: str) -> bool:
    """Whether the real text is the printed one, up to masks and `…`."""
    return re.fullmatch(re.escape(masked(printed)).replace("…", ".*"), masked(real)) is not None
