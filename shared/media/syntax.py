"""The syntax of media types."""

import re

UNKNOWN = "application/octet-stream"
TEXT = "text/plain"
#: Limit of a declared media type, its parameters included.
MAX_CHARACTERS = 255

#: A type or subtype: RFC 6838 §4.2, restricted-name.
_NAME = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
#: RFC 9110 §5.6.2 and §5.6.4, printable ASCII only: the type becomes a header of a signed URL.
_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105
_QUOTED = r'"(?:[\t !#-\[\]-~]|\\[\t -~])*"'
#: RFC 9110 §8.3.1, media-type; §5.6.6 allows an empty parameter, as in `image/jpeg;`.
#: Possessive (`*+`), so that a hostile value is refused in linear time.
_TYPE = re.compile(rf"{_NAME}/{_NAME}(?:[ \t]*+;[ \t]*+(?:{_TOKEN}=(?:{_TOKEN}|{_QUOTED}))?)*+")
_ESSENCE = re.compile(rf"{_NAME}/{_NAME}")
#: A media type, or a range of them such as `image/*` (RFC 9110 §12.5.1), in lower case and without parameters.
_PATTERN = re.compile(rf"(?:\*|{_NAME})/(?:\*|{_NAME})")


def is_valid(content_type: str) -> bool:
    """Whether this is a media type such as `image/jpeg` or `text/plain; charset="utf-8"` (RFC 9110 §8.3.1)."""
    return len(content_type) <= MAX_CHARACTERS and _TYPE.fullmatch(content_type) is not None


def is_pattern(text: str) -> bool:
    """Whether this is a lower-case media type without parameters, or a range of them such as `image/*`."""
    return text == text.lower() and _PATTERN.fullmatch(text) is not None


def essence(content_type: str) -> str:
    """`Image/JPEG; q=1` → `image/jpeg`; empty, or no media type such as `undefined` → `application/octet-stream`."""
    name = content_type.partition(";")[0].strip().lower()
    return name if _ESSENCE.fullmatch(name) else UNKNOWN
