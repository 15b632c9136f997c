"""Templates: everything that they insert is text, never markup."""

import gzip
import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.console import access, assets, words
from shared.console.access import Viewer
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
_templates.globals |= {"asset": assets.url, "words": words, "icon": (assets.FOLDER / "icon.svg").read_text(encoding="utf-8")}
_templates.filters |= {
    "bytes": words.size,
    "memory": words.memory,
    "count": "{:,}".format,
    "seconds": words.seconds,
    "moment": words.moment,
    "uploaded": words.uploaded,
    "path": lambda name: quote(name, safe="/"),
    "parameter": lambda value: quote(str(value), safe=""),
}


def page(request: Request, viewer: Viewer, template: str, status: int = 200, **values: Any) -> Response:
    """A whole page. It carries the token of its viewer's actions: no cache may keep it."""
    text = _templates.get_template(template).render(viewer=viewer, here=request.path, **values)
    answer = _compressed(request, Response(text, status=status, content_type="text/html; charset=utf-8"))
    answer.headers["cache-control"] = "no-store"
    access.remember(answer, viewer, request)
    return answer


def part(request: Request, template: str, **values: Any) -> Response:
    """A part of a page, the same for every viewer; 304 to a page that shows it already (RFC 9110 §13.1.2)."""
    text = _templates.get_template(template).render(**values)
    tag = hashlib.sha256(text.encode()).hexdigest()[:32]
    if request.if_none_match.contains_weak(tag):
        answer = Response(status=304)
    else:
        answer = _compressed(request, Response(text, content_type="text/html; charset=utf-8"))
    answer.headers["etag"] = f'W/"{tag}"'
    answer.headers["cache-control"] = "no-cache"
    return answer


def error(request: Request, viewer: Viewer | None, error: PipelineError) -> Response:
    """A page about an error: its message, and its status."""
    shown = viewer or Viewer("", False, "")
    return page(
        request, shown, "error.html", error.status, title=words.STATUSES.get(error.status, "Error"), message=error.message
    )


def _compressed(request: Request, answer: Response) -> Response:
    answer.headers["vary"] = "accept-encoding"
    data = answer.get_data()
    if len(data) >= _COMPRESSED_FROM_BYTES and request.accept_encodings["gzip"] > 0:
        answer.set_data(gzip.compress(data, 5, mtime=0))
        answer.headers["content-encoding"] = "gzip"
    return answer
