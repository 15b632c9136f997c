"""The reasons for which a picture is refused, each as a `BadFile` with a message for the sender."""

from shared.errors import BadFile
from shared.processors import extras

#: Longest edge, in pixels, of any picture that is opened.
MAX_EDGE = 65_535
_OPENED = "JPEG, PNG, WebP, GIF, TIFF, BMP and AVIF pictures are opened, with extras HEIC and SVG too"


def not_a_picture() -> BadFile:
    """The bytes begin like no picture."""
    return BadFile(f"the file is not a picture; {_OPENED}", "not_a_picture")


def unsupported(what: str, extra: str = "") -> BadFile:
    """The file is a picture of a kind that is not opened; `what` names it, with its article. `extra` would open it."""
    if extra:
        return BadFile(f"{what} cannot be opened; {extras.remedy(extra)}", "unsupported")
    return BadFile(f"{what} cannot be opened; {_OPENED}", "unsupported")


def truncated() -> BadFile:
    """The file ends before its last pixel."""
    return BadFile("the picture is truncated: the file ends before its last pixel; send it again whole", "truncated")


def corrupt(what: str) -> BadFile:
    """The file breaks the rules of its format."""
    return BadFile(f"the picture is corrupt: {what}", "corrupt")


def too_much_metadata(what: str) -> BadFile:
    """Something beside the pixels is too large to be read."""
    return BadFile(f"the picture carries too much metadata: {what}", "too_much_metadata")


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raises `BadFile` for a picture, or a part that is decoded at once, with more pixels than the limit."""
    if max(width, height) > MAX_EDGE:
        message = f"an edge of the picture has {max(width, height):,} pixels; the limit is {MAX_EDGE:,}"
        raise BadFile(message, "too_many_pixels")
    if width * height > max_pixels:
        message = f"the picture has {width * height:,} pixels; the limit is {max_pixels:,}"
        raise BadFile(message, "too_many_pixels")
