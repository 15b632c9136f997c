"""The issuer's work: check a request, sign a URL that creates one object, write a curl command that uses it."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared import log, media, metadata, naming
from shared.cloud.protocols import Cloud, Permission
from shared.errors import BadRequest, TooLarge, UnsupportedType
from shared.model import Json, file_id
from shared.status import status_url

#: Longest number read from a query: int() refuses thousands of digits.
MAX_DIGITS = 20

FIELDS = ("name", "content_type", "size", "resumable", "metadata")


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """A client's description of the file to upload, with its custom metadata. `size` is in bytes, None when unknown.

    `seed` is that of its idempotency key, empty without one.
    """

    name: str
    content_type: str
    size: int | None
    resumable: bool
    seed: bytes = b""
    metadata: Mapping[str, str] = field(default_factory=dict)


def parse(fields: Json, seed: bytes = b"") -> UploadRequest:
    """Check the fields of a request. Raises `BadRequest` naming the field."""
    for unknown in (name for name in fields if name not in FIELDS):
        raise _bad(unknown, "unknown field; send name, content_type and, optionally, size, resumable and metadata")
    name, content_type = _text(fields, "name"), _text(fields, "content_type")
    if not media.is_valid(content_type):
        raise _bad("content_type", f"{content_type[:80]!r} is not a media type; send one such as image/jpeg")
    size, resumable = fields.get("size"), fields.get("resumable", False)
    if isinstance(size, float) and size.is_integer():
        size = int(size)  # JSON has one kind of number: 7.0 is 7
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 1):
        raise _bad("size", f"{size!r} is not a number of bytes; send a whole number above 0")
    if not isinstance(resumable, bool):
        raise _bad("resumable", f"{resumable!r} is not a boolean; send true or false")
    return UploadRequest(name, content_type, size, resumable, seed, _metadata(fields.get("metadata", {})))


def from_query(query: dict[str, str]) -> Json:
    """Convert `GET ?name=&content_type=&size=&resumable=&x-goog-meta-<key>=` to the fields of a JSON request."""
    given = metadata.prefixed(query)
    fields: dict[str, Any] = {name: value for name, value in query.items() if not name.lower().startswith(metadata.PREFIX)}
    if given:
        fields["metadata"] = given
    size = str(fields.get("size", ""))
    if size.isdecimal() and len(size) <= MAX_DIGITS:
        fields["size"] = int(size)
    if fields.get("resumable") in ("true", "false"):
        fields["resumable"] = fields["resumable"] == "true"
    return fields


def sign(wanted: UploadRequest, cloud: Cloud) -> Json:
    """Sign a URL that creates one object.

    Raises `BadRequest`, `UnsupportedType` and `TooLarge`, each naming the field.
    """
    settings = cloud.settings
    name = naming.object_name(wanted.name, wanted.seed)
    identity = file_id(settings.uploads_bucket, name)
    log.bind(object=name, file_id=identity)  # no job yet: its id has the generation that the upload will get
    if refusal := _refusal(wanted, name, cloud):
        raise UnsupportedType(f"content_type: {refusal}")
    if wanted.size is not None and wanted.size > settings.max_file_bytes:
        raise TooLarge(f"size: {wanted.size} bytes; the limit is {settings.max_file_bytes}")
    permission = cloud.uploads.permit_upload(
        name, _headers(wanted, settings.max_file_bytes), settings.url_seconds, resumable=wanted.resumable
    )
    log.info("signed a URL for an upload", resumable=wanted.resumable)
    expires = datetime.now(UTC) + timedelta(seconds=settings.url_seconds)
    return {
        "method": permission.method,
        "url": permission.url,
        "headers": dict(permission.headers),
        "object": name,
        "file_id": identity,
        "status_url": status_url(cloud, name),
        "expires_at": expires.isoformat(timespec="seconds"),
        "curl": _curl(permission, wanted),
    }


def _refusal(wanted: UploadRequest, name: str, cloud: Cloud) -> str:
    """The reason why no route takes such a file; empty where one does, or may by the bytes, which nothing shows yet."""
    if cloud.routes.go_by_bytes(name, wanted.metadata, wanted.size):
        return ""
    return cloud.routes.why_not(wanted.content_type, name, wanted.metadata, wanted.size)


def _headers(wanted: UploadRequest, max_bytes: int) -> dict[str, str]:
    return {
        "content-type": wanted.content_type,
        "x-goog-content-length-range": f"{wanted.size or 1},{wanted.size or max_bytes}",
        "x-goog-if-generation-match": "0",
        **{metadata.PREFIX + key: value for key, value in wanted.metadata.items()},
    }


def _curl(permission: Permission, wanted: UploadRequest) -> str:
    headers = " ".join(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in permission.headers.items())
    file, url = shlex.quote(_path(naming.clean(wanted.name))), shlex.quote(permission.url)
    if not wanted.resumable:
        return f"curl --globoff --fail-with-body -X PUT {headers} -T {file} {url}"
    start = f"curl -sS --fail-with-body -i -X POST {headers} -d '' {url} | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p'"
    return f'curl --globoff --fail-with-body -X PUT -T {file} "$({start})"'


def _path(name: str) -> str:
    return f"./{name}" if name.startswith("-") else name  # curl reads `-` as its standard input


def _metadata(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _bad("metadata", f"{value!r:.80} is not a JSON object; send keys and values, each a string")
    return metadata.check(value)


def _text(fields: Json, name: str) -> str:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise _bad(name, f"{value!r:.80} is not a string; send a string")
    if not value:
        raise _bad(name, "missing; send it as a string")
    return value


def _bad(field: str, problem: str) -> BadRequest:
    return BadRequest(f"{field}: {problem}", "bad_request", field=field)
