r"""The parameters of a part's Content-Disposition, as browsers, curl and old libraries write them. Pure.

RFC 7578 §4.2 leaves the encoding of file names open, and clients disagree. So each way is read that cannot be mistaken for another:

- `filename="C:\Users\me\photo.txt"`, not escaped: a backslash escapes only a quote or another backslash
- `filename="a%22b.txt"`, as browsers write a quote (WHATWG); other percent signs are part of the name
- `filename*=UTF-8''na%C3%AFve.txt` (RFC 8187), also in quotes; it wins over `filename`
- `filename*0="long "; filename*1="name.txt"` (RFC 2231)
- `filename="=?UTF-8?B?w6kudHh0?="` (RFC 2047)
"""

import base64
import binascii
import quopri
import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from shared.errors import BadRequest

#: `; name=value`, the value in quotes or up to the next semicolon.
_PARAMETER = re.compile(r';[ \t]*([^\s=;"]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^;]*)', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')
#: What browsers escape in a name (WHATWG HTML, multipart/form-data).
_PERCENT = {"%22": '"', "%0d": "\r", "%0a": "\n"}
_PERCENT_ESCAPED = re.compile("|".join(_PERCENT), re.IGNORECASE)
#: charset'language'percent-encoded (RFC 8187 §3.2).
_EXTENDED = re.compile(r"(utf-8|iso-8859-1|us-ascii|windows-1252)'[^']*'(.*)", re.IGNORECASE | re.DOTALL)
_CONTINUED = re.compile(r"filename\*(\d{1,4})(\*?)")
_ENCODED_WORD = re.compile(r"=\?(utf-8|iso-8859-1|us-ascii|windows-1252)\?([bq])\?([^?\s]*)\?=", re.IGNORECASE)
_ENCODED_WORDS = re.compile(rf"\s*(?:{_ENCODED_WORD.pattern}\s*)+", re.IGNORECASE)


def parameters(disposition: str) -> dict[str, str]:
    """The parameters of a Content-Disposition by their names in lower case. Of a repeated one, the first counts."""
    found: dict[str, str] = {}
    for name, value in _PARAMETER.findall(disposition):
        found.setdefault(name.lower(), _ESCAPED.sub(r"\1", value[1:-1]) if _is_quoted(value) else value.strip())
    return found


def field_name(given: Mapping[str, str]) -> str:
    """The name of the form's field."""
    return _unpercented(given.get("name", ""))


def file_name(given: Mapping[str, str]) -> str | None:
    """The name of the file; None for a part that is no file. Raises `BadRequest` for a malformed one."""
    plain = given.get("filename")
    if plain is None:
        plain = _joined(given)
    if "filename*" not in given:
        return None if plain is None else _words(_unpercented(plain))
    extended = _extended(given["filename*"])
    if extended is None and plain is None:
        raise BadRequest("filename* of a part is not UTF-8''<percent-encoded name>; send such a name", "bad_name")
    return extended if extended is not None else _words(_unpercented(plain or ""))


def _is_quoted(value: str) -> bool:
    return len(value) > 1 and value.startswith('"') and value.endswith('"')


def _unpercented(value: str) -> str:
    return _PERCENT_ESCAPED.sub(lambda found: _PERCENT[found[0].lower()], value)


def _extended(value: str) -> str | None:
    """`UTF-8''na%C3%AFve.txt` → `naïve.txt`; None where it is not written so."""
    found = _EXTENDED.fullmatch(value)
    return _decoded(unquote_to_bytes(found[2]), found[1]) if found else None


def _joined(given: Mapping[str, str]) -> str | None:
    """The pieces `filename*0`, `filename*1`, … up to the first missing one, joined; None without any."""
    pieces = {int(found[1]): (value, found[2]) for name, value in given.items() if (found := _CONTINUED.fullmatch(name))}
    if 0 not in pieces:
        return None
    count = next(number for number in range(len(pieces) + 1) if number not in pieces)
    first, is_extended = pieces[0]
    charset, rest = _charset(first) if is_extended else ("utf-8", first)
    whole = [(rest, is_extended), *(pieces[number] for number in range(1, count))]
    data = b"".join(unquote_to_bytes(value) if encoded else value.encode() for value, encoded in whole)
    return _decoded(data, charset)


def _charset(first: str) -> tuple[str, str]:
    found = _EXTENDED.fullmatch(first)
    return (found[1], found[2]) if found else ("utf-8", first)


def _words(value: str) -> str:
    """A name that consists of encoded words, decoded; any other as it is."""
    if not _ENCODED_WORDS.fullmatch(value):
        return value
    return "".join(_word(*found) for found in _ENCODED_WORD.findall(value))


def _word(charset: str, way: str, text: str) -> str:
    try:
        data = base64.b64decode(text) if way in "bB" else quopri.decodestring(text, header=True)
    except binascii.Error:
        raise BadRequest("the file's name is an encoded word whose base64 is malformed; send it in UTF-8", "bad_name") from None
    return _decoded(data, charset)


def _decoded(data: bytes, charset: str) -> str:
    # What does not decode becomes U+FFFD, which no object's name may have.
    return data.decode(charset, errors="replace")
