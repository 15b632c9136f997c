"""CORS rules of the buckets: methods and headers of pages that use signed URLs and upload sessions. Pure.

Cloud Storage compares the headers that a page sends, and shows to the page, with `responseHeader`
(https://cloud.google.com/storage/docs/cross-origin).
"""

from collections.abc import Iterable

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
_MAX_AGE_SECONDS = 3600


def of_uploads(origins: Iterable[str], routes: Routes) -> Json:
    """The rule of the uploads bucket, with the metadata by which files ask for steps and options."""
    asked = (metadata.PREFIX + key for key in per_file.keys(routes.steps))
    return _rule(origins, UPLOAD_METHODS, (*UPLOAD_HEADERS, *asked))


def of_results(origins: Iterable[str]) -> Json:
    """The rule of the results bucket: pages read outputs."""
    return _rule(origins, DOWNLOAD_METHODS, DOWNLOAD_HEADERS)


def _rule(origins: Iterable[str], methods: Iterable[str], headers: Iterable[str]) -> Json:
    return {
        "origin": list(origins),
        "method": list(methods),
        "responseHeader": list(headers),
        "maxAgeSeconds": _MAX_AGE_SECONDS,
    }
