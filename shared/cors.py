"""CORS rules: methods and headers of web pages that call services, or use signed URLs and upload sessions. Pure.

Cloud Storage compares the headers that a page sends, and shows to the page, with `responseHeader`
(https://cloud.google.com/storage/docs/cross-origin). `pages` applies the rules of services.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from shared import metadata
from shared.model import Json
from shared.routes import Routes, per_file

#: Start a session, send a chunk or ask for what arrived, cancel; GET and PUT of signed URLs without a session.
UPLOAD_METHODS = ("POST", "PUT", "DELETE", "GET")
UPLOAD_HEADERS = (
    *("content-type", "content-range", "location", "range"),
    *("x-goog-content-length-range", "x-goog-if-generation-match", "x-goog-resumable"),
)
DOWNLOAD_METHODS = ("GET", "HEAD")
DOWNLOAD_HEADERS = ("content-type", "content-length", "content-range", "range", "etag")
#: Time for which a browser keeps the answer to a preflight.
MAX_AGE_SECONDS = 3600
#: Headers of any service's answers that pages may read, beside those that they always may.
EXPOSED = ("accept-encoding", "allow", "etag", "location", "retry-after")
_METADATA = re.compile(rf"{metadata.PREFIX}[a-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True, slots=True)
class Rule:
    """Methods and headers with which pages may call a service, and whether they may send any custom metadata."""

    methods: tuple[str, ...]
    headers: tuple[str, ...]
    has_metadata: bool = False

    def allowed(self, asked: str) -> list[str]:
        """The headers that an answer to a preflight allows, when these are asked for; it cannot allow a pattern."""
        names = [name.strip().lower() for name in asked.split(",")] if self.has_metadata else []
        return [*self.headers, *(name for name in names if _METADATA.fullmatch(name))]


#: `x-api-key` is for a gateway in front, which passes preflights on.
UPLOAD = Rule(
    ("POST", "PUT"),
    (
        *("authorization", "content-digest", "content-encoding", "content-md5", "content-type", "digest"),
        *("idempotency-key", "repr-digest", "traceparent", "x-api-key", "x-goog-hash"),
    ),
    has_metadata=True,
)
ISSUER = Rule(("GET", "POST"), ("authorization", "content-type", "idempotency-key", "traceparent", "x-api-key"))
STATUS = Rule(("GET", "HEAD"), ("authorization", "if-none-match", "traceparent", "x-api-key"))


def of_uploads(origins: Iterable[str], routes: Routes) -> Json:
    """The rule of the uploads bucket, with the metadata that pipeline.toml reads: steps, options, tests of routes."""
    keys = dict.fromkeys([*per_file.keys(routes.steps), *(key for route in routes.routes for key in route.metadata)])
    return _rule(origins, UPLOAD_METHODS, (*UPLOAD_HEADERS, *(metadata.PREFIX + key for key in keys)))


def of_results(origins: Iterable[str]) -> Json:
    """The rule of the results bucket: pages read outputs."""
    return _rule(origins, DOWNLOAD_METHODS, DOWNLOAD_HEADERS)


def _rule(origins: Iterable[str], methods: Iterable[str], headers: Iterable[str]) -> Json:
    return {
        "origin": list(origins),
        "method": list(methods),
        "responseHeader": list(headers),
        "maxAgeSeconds": MAX_AGE_SECONDS,
    }
