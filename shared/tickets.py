"""What the doors hand out: the issuer a URL signed for one object, the Upload Service a receipt."""

import re
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from shared import log, naming
from shared.cloud.protocols import Cloud, Permission
from shared.errors import BadRequest, TooLarge, UnsupportedType
from shared.model import File, Json, file_id

#: int() refuses thousands of digits
MAX_DIGITS = 20
MAX_TYPE_CHARACTERS = 255

_TYPE = re.compile(r"[a-zA-Z0-9][\w.+-]*/[\w.+-]+([ \t]*;[ \t]*[\w-]+=[\w.\"+-]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a sender says of the file to come; `size` is in bytes, None when unknown."""

    name: str
    content_type: str
    size: int | None
    resumable: bool
    key: str = ""


def wish(fields: Json, key: str = "") -> Wish:
    """Check what was asked for. Raises `BadRequest` naming the field."""
    for unknown in (name for name in fields if name not in ("name", "content_type", "size", "resumable")):
        raise _bad(unknown, "is unknown; send name, content_type and, if you like, size and resumable")
    name, content_type = _text(fields, "name"), _text(fields, "content_type")
    if len(content_type) > MAX_TYPE_CHARACTERS or not _TYPE.fullmatch(content_type):
        raise _bad("content_type", f"{content_type[:80]!r} is no media type; write one such as image/jpeg")
    size, resumable = fields.get("size"), fields.get("resumable", False)
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 1):
        raise _bad("size", f"{size!r} is not a number of bytes above 0")
    if not isinstance(resumable, bool):
        raise _bad("resumable", f"{resumable!r} is neither true nor false")
    return Wish(name, content_type, size, resumable, key)


def from_query(query: dict[str, str]) -> Json:
    """The fields of `GET ?name=&content_type=&size=&resumable=`, as JSON would have them."""
    fields: dict[str, Any] = dict(query)
    size = str(fields.get("size", ""))
    if size.isdecimal() and len(size) <= MAX_DIGITS:
        fields["size"] = int(size)
    if fields.get("resumable") in ("true", "false"):
        fields["resumable"] = fields["resumable"] == "true"
    return fields


def issue(wish: Wish, cloud: Cloud) -> Json:
    """Sign what is allowed. Raises `BadRequest`, `UnsupportedType` and `TooLarge`, each naming the field."""
    settings = cloud.settings
    name = naming.object_name(wish.name, wish.key)
    if not cloud.routes.steps_for(wish.content_type, name):
        accepted = cloud.routes.accepted_types()
        raise UnsupportedType(f"content_type: no route takes {wish.content_type}; accepted: {', '.join(accepted)}")
    if wish.size is not None and wish.size > settings.max_file_bytes:
        raise TooLarge(f"size: {wish.size} bytes; at most {settings.max_file_bytes} are processed")
    headers = {
        "content-type": wish.content_type,
        "x-goog-content-length-range": f"{wish.size or 1},{wish.size or settings.max_file_bytes}",
        "x-goog-if-generation-match": "0",
    }
    permission = cloud.uploads.permit_upload(name, headers, settings.url_seconds, resumable=wish.resumable)
    log.info("signed a URL for an upload", object=name, resumable=wish.resumable)
    expires = datetime.now(UTC) + timedelta(seconds=settings.url_seconds)
    return {
        "method": permission.method,
        "url": permission.url,
        "headers": dict(permission.headers),
        "object": name,
        "file_id": file_id(settings.uploads_bucket, name),
        "status_url": status_url(cloud, name),
        "expires_at": expires.isoformat(timespec="seconds"),
        "curl": _curl(permission, wish),
    }


def receipt(file: File, cloud: Cloud) -> Json:
    """What the Upload Service answers for a file it has taken."""
    return {
        "object": file.name,
        "file_id": file.file_id,
        "job_id": file.job_id,
        "generation": str(file.generation),
        "size": file.size,
        "content_type": file.content_type,
        "crc32c": file.crc32c,
        "status_url": status_url(cloud, file.name),
    }


def status_url(cloud: Cloud, name: str) -> str:
    """Where the status service tells of this object."""
    return f"{cloud.settings.status_url}/objects/{quote(name, safe='/')}"


def _curl(permission: Permission, wish: Wish) -> str:
    headers = " ".join(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in permission.headers.items())
    file, url = shlex.quote(_path(naming.clean(wish.name))), shlex.quote(permission.url)
    if not wish.resumable:
        return f"curl --globoff --fail-with-body -X PUT {headers} -T {file} {url}"
    start = f"curl -sS --fail-with-body -i -X POST {headers} -d '' {url} | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p'"
    return f'curl --globoff --fail-with-body -X PUT -T {file} "$({start})"'


def _path(name: str) -> str:
    return f"./{name}" if name.startswith("-") else name  # curl takes `-` for its standard input


def _text(fields: Json, name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise _bad(name, "is missing; send it as a string")
    return value


def _bad(field: str, problem: str) -> BadRequest:
    return BadRequest(f"{field}: {problem}", "bad_request", field=field)
