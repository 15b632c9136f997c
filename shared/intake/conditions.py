"""Headers that ask for what an upload is not are refused by name: ignored, they would seem heeded. Pure."""

import re
from collections.abc import Mapping

from shared.errors import BadRequest, PreconditionFailed, UnsupportedType

#: They replace the method of the request in other servers.
_METHODS = ("x-http-method-override", "x-http-method", "x-method-override")
#: Trailers are dropped on the way; a checksum there would be compared with nothing.
_CHECKSUM = re.compile(r"\b(content-md5|content-digest|repr-digest|digest|x-goog-hash)\b", re.IGNORECASE)
#: Conditions, each with the values that a new object meets.
_CONDITIONS = {"if-match": (), "x-goog-if-generation-match": ("0",), "x-goog-if-metageneration-match": ()}


def check(headers: Mapping[str, str], method: str) -> None:
    """Refuse a part of a file, another method, unmet conditions, packed transfers and checksums as trailers.

    Raises `BadRequest`, `PreconditionFailed` and `UnsupportedType`. `If-None-Match` always holds: each upload makes a new object.
    """
    check_part(headers)
    for name in _METHODS:
        if headers.get(name, method).strip().upper() != method:
            raise BadRequest(f"{name}: this service looks at the request's own method only; leave the header out")
    for name, met in _CONDITIONS.items():
        if name in headers and headers[name].strip() not in met:
            raise PreconditionFailed(f"{name} does not hold, because each upload makes a new object; leave the header out")
    transfer = {coding.strip().lower() for coding in headers.get("transfer-encoding", "").split(",")}
    if transfer - {"", "chunked", "identity"}:
        raise UnsupportedType("Transfer-Encoding may only be chunked; pack a body by Content-Encoding", "unsupported_encoding")
    if found := _CHECKSUM.search(headers.get("trailer", "")):
        raise BadRequest(f"Trailer: {found[0]} would not be compared; send it as a header", "bad_digest")


def check_part(headers: Mapping[str, str]) -> None:
    """Refuse a part of a file; these are the headers of a request, or of a part of a form. Raises `BadRequest`."""
    if "content-range" in headers:
        raise BadRequest(
            "Content-Range names a part of a file, and this service takes whole files only; send the whole file without it, "
            "or upload in parts by a resumable URL of the issuer",
            "partial_content",
        )
