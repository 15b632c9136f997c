"""Templates: everything that they insert is text, never markup."""

import gzip
import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared import web
from shared.console import addresses, kinds, protection, reasons, static_files, words
from shared.console.viewer import Viewer
from shared.errors import PipelineError

_COMPRESSED_FROM_BYTES = 1000

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_icon = (static_files.FOLDER / "icon.svg").read_text(encoding="utf-8")
_templates.globals |= {"static": static_files.url, "words": words, "reasons": reasons, "addresses": addresses}
_templates.globals |= {"kinds": kinds, "icon": _icon}
_templates.filters |= {
    "bytes": words.size,
    "memory": words.memory,
    "count": "{:,}".format,
    "seconds": words.seconds,
    "dollars": words.dollars,
    "moment": words.moment,
    "uploaded": words.uploaded,
    "path": lambda name: quote(name, safe="/"),
    "parameter": lambda value: quote(str(value), safe=""),
}


def page(request: Request, viewer: Viewer, template: str, status: int = 200, **values: Any) -> Response:
    """A whole page. It carries the token of its viewer's actions: no cache may keep it."""
    data = _rendered(template, viewer=viewer, here=request.path, **values)
    answer = _compressed(request, Response(data, status=status, content_type="text/html; charset=utf-8"))
    answer.headers["cache-control"] = "no-store"
    if viewer.token:
        protection.remember(answer, viewer)
    return answer


def part(request: Request, template: str, **values: Any) -> Response:
    """A part of a page, the same for every viewer; 304 to a page that shows it already (RFC 9110 §13.1.2)."""
    data = _rendered(template, **values)
    tag = hashlib.sha256(data).hexdigest()[:32]
    if request.if_none_match.contains_weak(tag):
        answer = Response(status=304)
    else:
        answer = _compressed(request, Response(data, content_type="text/html; charset=utf-8"))
    answer.headers["etag"] = f'W/"{tag}"'
    answer.headers["cache-control"] = "no-cache"
    return answer


def error(request: Request, viewer: Viewer | None, error: PipelineError) -> Response:
    """A page about an error: its message, and its status; JSON for a script that asks for it."""
    if request.accept_mimetypes.best_match(("text/html", "application/json")) == "application/json":
        return web.reply({"error": error.code, "message": error.message}, error.status)
    shown = viewer or Viewer("", False, "")
    return page(
        request, shown, "error.html", error.status, title=words.STATUSES.get(error.status, "Error"), message=error.message
    )


def _rendered(template: str, **values: Any) -> bytes:
    # JSON of facts may carry a lone surrogate, UTF-8 may not: the page shows its escape.
    return _templates.get_template(template).render(**values).encode(errors="backslashreplace")


def _compressed(request: Request, answer: Response) -> Response:
    answer.headers["vary"] = "accept-encoding"
    data = answer.get_data()
    if len(data) >= _COMPRESSED_FROM_BYTES and request.accept_encodings["gzip"] > 0:
        answer.set_data(gzip.compress(data, 5, mtime=0))
        answer.headers["content-encoding"] = "gzip"
    return answer
