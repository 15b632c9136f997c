"""Scripts and styles: compressed once, named by their hash, kept by browsers for ever."""

import functools
import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from flask import Request, Response

from shared.errors import NotFound

FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class _StaticFile:
    content_type: str
    data: bytes
    compressed: bytes
    tag: str


def url(name: str) -> str:
    """The address of a file in `static/`. It changes with the file's bytes."""
    return f"/assets/{_files()[name].tag}/{name}"


def answer(request: Request, path: str) -> Response:
    """The file of this address. Raises `NotFound`."""
    tag, _, name = path.partition("/")
    file = _files().get(name)
    if not file or tag != file.tag:
        raise NotFound("file not found")
    is_compressed = request.accept_encodings["gzip"] > 0
    found = Response(file.compressed if is_compressed else file.data, content_type=file.content_type)
    found.headers |= {"cache-control": f"public, max-age={_YEAR_SECONDS}, immutable", "vary": "accept-encoding"}
    found.headers["x-content-type-options"] = "nosniff"
    if is_compressed:
        found.headers["content-encoding"] = "gzip"
    return found


@functools.cache
def _files() -> dict[str, _StaticFile]:
    paths = [path for path in FOLDER.rglob("*") if path.suffix in _TYPES]
    return {str(path.relative_to(FOLDER)): _read(path) for path in paths}


def _read(path: Path) -> _StaticFile:
    data = path.read_bytes()
    return _StaticFile(_TYPES[path.suffix], data, gzip.compress(data, 9, mtime=0), hashlib.sha256(data).hexdigest()[:12])
