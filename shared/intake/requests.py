"""The files of an upload request."""

from collections.abc import Iterator, Mapping

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from shared import metadata
from shared.errors import BadRequest, MethodNotAllowed, TooLarge
from shared.intake import codings, conditions, digests, forms
from shared.intake.codings import Allowance
from shared.intake.forms import BLOCK_BYTES, Part
from shared.intake.stream import Incoming


def read(request: Request) -> Iterator[Incoming]:
    """The files of `POST /` with multipart/form-data, or of `PUT|POST /<name>` with a raw body.

    Headers `x-goog-meta-<key>` are custom metadata of every file, form fields of that name are of the files after them.
    Raises `BadRequest`, `MethodNotAllowed` and others for what the request's headers say; also while `blocks` are read, when the
    body ends too early, comes too slowly, differs from its checksum, or does not unpack.
    """
    name = request.path.lstrip("/")
    allowed = ("POST", "PUT") if name else ("POST",)
    if request.method not in allowed:
        raise MethodNotAllowed("POST a form to /, or PUT or POST a file's bytes to /<name>", *allowed)
    headers = {key.lower(): value for key, value in request.headers}
    conditions.check(headers, request.method)
    common = metadata.check(metadata.prefixed(headers))
    allowance = Allowance(request.max_content_length or 1 << 62)
    if name:
        yield Incoming(name, headers.get("content-type", ""), _bytes(_blocks(request), headers, allowance), common)
    else:
        yield from _form(request, headers, common, allowance)


def _form(request: Request, headers: Mapping[str, str], common: Mapping[str, str], allowance: Allowance) -> Iterator[Incoming]:
    boundary = request.mimetype_params.get("boundary", "")
    if request.mimetype != "multipart/form-data" or not boundary:
        raise BadRequest("POST multipart/form-data to / (curl -F file=@NAME), or PUT the bytes to /<name> (curl -T NAME)")
    if "x-goog-hash" in headers:
        raise BadRequest("x-goog-hash is a checksum of one file; in a form, make it a header of the file's part", "bad_digest")
    parts = forms.parts(_bytes(_blocks(request), headers, allowance), boundary.encode())
    is_one = bool(digests.expected(headers))  # the form must end before its file is stored
    yield from _files(parts, common, allowance, is_one=is_one)


def _bytes(blocks: Iterator[bytes], headers: Mapping[str, str], allowance: Allowance) -> Iterator[bytes]:
    """Compared with their checksums, and unpacked."""
    return codings.decoded(digests.compared(blocks, digests.expected(headers)), headers, allowance)


def _files(parts: Iterator[Part], given: Mapping[str, str], allowance: Allowance, *, is_one: bool) -> Iterator[Incoming]:
    found = False
    for part in parts:
        if part.file_name is None:
            given = metadata.check({**given, **metadata.prefixed({part.name: part.value()})})
        elif part.file_name or any(part.blocks):  # browsers send a file field that was left empty
            found = True
            conditions.check_part(part.headers)
            blocks = _bytes(part.blocks, part.headers, allowance)
            yield Incoming(
                part.file_name, part.headers.get("content-type", ""), _to_the_end(blocks, parts) if is_one else blocks, given
            )
    if not found:
        raise BadRequest("the form has no file; send one with curl -F file=@NAME", "no_file")


def _to_the_end(blocks: Iterator[bytes], parts: Iterator[Part]) -> Iterator[bytes]:
    """The file's blocks, and after them the rest of the form, whose checksum is that of the whole."""
    yield from blocks
    for part in parts:
        if part.file_name or (part.file_name is not None and any(part.blocks)):
            raise BadRequest(
                "a checksum of the whole form can be compared for one file only; make one a header of each file's part",
                "bad_digest",
            )


def _blocks(request: Request) -> Iterator[bytes]:
    try:
        while block := request.stream.read(BLOCK_BYTES):
            yield block
    except RequestEntityTooLarge:
        raise TooLarge(f"the body has more than {request.max_content_length} bytes, the limit") from None
