"""Colours of a drawing that resvg does not understand: it would paint black in their place."""

import re

from shared.processors.picture.refusals import unsupported

#: Attributes with a colour or with CSS.
PAINTING = frozenset(("fill", "stroke", "color", "stop-color", "flood-color", "lighting-color", "style"))
#: CSS Color 4 and 5, CSS Variables 1; and of rgb() and hsl() a slash, words, units and a percentage of opacity.
_NEWER = re.compile(
    r"(?<![\w-])(?:(var|env|color|color-mix|oklch|oklab|lab|lch|hwb|light-dark)\("
    r"|((?:rgb|hsl)a?)\((?:[^()/a-z]*+[/a-z]|(?:[^(),]*+,){3}[^(),%]*+%))",
    re.IGNORECASE,
)
#: Stands behind the same colour in sRGB (SVG 1.1 §11.2).
_ICC = re.compile(r"(?<![\w-])icc-color\([^()]*+\)", re.IGNORECASE)
#: The only named colour that CSS 3 lacks, and its value (CSS Color 4 §6.1).
_NEW_NAME, _ITS_VALUE = re.compile(r"(?<![\w-])rebeccapurple(?![\w-])", re.IGNORECASE), "#663399"


def understood(css: str) -> str:
    """The colours or CSS without what resvg can leave out. Raises `BadFile` for colours that it cannot read."""
    if found := _NEWER.search(css):
        raise unsupported(f"an SVG drawing with {found[1] or found[2]}() of newer CSS")
    return _NEW_NAME.sub(_ITS_VALUE, _ICC.sub("", css))
