"""The media type that a file's name suggests, the same on every system."""

from mimetypes import MimeTypes
from pathlib import PurePosixPath

from shared.media.syntax import UNKNOWN

#: Python's own tables without those of the system: types in use, and the registered ones, which win.
_PYTHON = {suffix: kind for types in MimeTypes().types_map for suffix, kind in types.items()}
_OPEN_XML = "application/vnd.openxmlformats-officedocument."
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
#: Missing in some releases of Python, or different there.
_OWN = {
    ".7z": "application/x-7z-compressed",
    ".aac": "audio/aac",
    ".apk": "application/vnd.android.package-archive",
    ".arrow": "application/vnd.apache.arrow.file",
    ".avif": "image/avif",
    ".avro": "application/vnd.apache.avro",
    ".csv": "text/csv",
    ".doc": "application/msword",
    ".docm": "application/vnd.ms-word.document.macroenabled.12",
    ".docx": f"{_OPEN_XML}wordprocessingml.document",
    ".dotx": f"{_OPEN_XML}wordprocessingml.template",
    ".eml": "message/rfc822",
    ".epub": "application/epub+zip",
    ".flac": "audio/flac",
    ".geojson": "application/geo+json",
    ".gpkg": "application/geopackage+sqlite3",
    ".gpx": "application/gpx+xml",
    ".gz": "application/gzip",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".ics": "text/calendar",
    ".ini": "text/plain",
    ".ipynb": "application/x-ipynb+json",
    ".jar": "application/java-archive",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".jsonld": "application/ld+json",
    ".jxl": "image/jxl",
    ".kml": "application/vnd.google-earth.kml+xml",
    ".kmz": "application/vnd.google-earth.kmz",
    ".log": "text/plain",
    ".m4a": "audio/mp4",
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".mkv": "video/x-matroska",
    ".msg": "application/vnd.ms-outlook",
    ".ndjson": "application/x-ndjson",
    ".numbers": "application/vnd.apple.numbers",
    ".odg": f"{_OPEN_DOCUMENT}graphics",
    ".odp": f"{_OPEN_DOCUMENT}presentation",
    ".ods": f"{_OPEN_DOCUMENT}spreadsheet",
    ".odt": f"{_OPEN_DOCUMENT}text",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".opus": "audio/ogg",
    ".pages": "application/vnd.apple.pages",
    ".parquet": "application/vnd.apache.parquet",
    ".pptm": "application/vnd.ms-powerpoint.presentation.macroenabled.12",
    ".pptx": f"{_OPEN_XML}presentationml.presentation",
    ".rar": "application/vnd.rar",
    ".rtf": "application/rtf",
    ".sql": "application/sql",
    ".svgz": "image/svg+xml",
    ".toml": "application/toml",
    ".topojson": "application/topo+json",
    ".tsv": "text/tab-separated-values",
    ".ts": UNKNOWN,  # a program in TypeScript or a video, which its bytes show
    ".usdz": "model/vnd.usdz+zip",
    ".vtt": "text/vtt",
    ".webm": "video/webm",
    ".whl": "application/x-wheel+zip",
    ".xls": "application/vnd.ms-excel",
    ".xlsm": "application/vnd.ms-excel.sheet.macroenabled.12",
    ".xlsx": f"{_OPEN_XML}spreadsheetml.sheet",
    ".xml": "application/xml",
    ".xz": "application/x-xz",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zip": "application/zip",
    ".zst": "application/zstd",
}
_TYPES = _PYTHON | _OWN


def by_name(name: str) -> str:
    """The type by the extension of a file's name; `application/octet-stream` where it suggests none."""
    return _TYPES.get(PurePosixPath(name).suffix.lower(), UNKNOWN)
