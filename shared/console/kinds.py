"""The kind of a file, for the sign that a list shows instead of a preview. Pure."""

from shared import media

#: Type, or beginning of types, → kind: a class of app.css. The first that fits wins.
_KINDS = (
    ("text/csv", "table"),
    ("text/tab-separated-values", "table"),
    ("application/x-ndjson", "table"),
    ("application/vnd.apache.parquet", "table"),
    ("application/vnd.ms-excel", "table"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml", "table"),
    ("application/vnd.oasis.opendocument.spreadsheet", "table"),
    ("application/pdf", "document"),
    ("application/msword", "document"),
    ("application/rtf", "document"),
    ("application/vnd.openxmlformats-officedocument", "document"),
    ("application/vnd.oasis.opendocument", "document"),
    ("text/html", "document"),
    ("message/rfc822", "document"),
    ("application/zip", "archive"),
    ("application/gzip", "archive"),
    ("application/x-tar", "archive"),
    ("application/x-bzip2", "archive"),
    ("application/x-xz", "archive"),
    ("application/json", "text"),
    ("application/xml", "text"),
    ("text/", "text"),
    ("image/", "image"),
    ("video/", "video"),
    ("audio/", "audio"),
)


def of(content_type: str) -> str:
    """The kind of files of this type; `file` for others."""
    essence = media.essence(content_type)
    return next((kind for beginning, kind in _KINDS if essence.startswith(beginning)), "file")
