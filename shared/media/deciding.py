"""The type to go by: the one that the bytes show, or a finer one of its family, declared or by the name."""

import re

from shared.media import compound, extensions, texts, zips
from shared.media.sniffing import SVG, may_be_text, sniff
from shared.media.syntax import TEXT, UNKNOWN, essence
from shared.media.tables import CSV, TSV

#: Declared by clients that have no type for a file: Amazon's tools, forms, browsers, `curl --data-binary`.
_SAYS_NOTHING = {
    UNKNOWN,
    "binary/octet-stream",
    "application/binary",
    "application/unknown",
    "application/x-unknown",
    "application/x-binary",
    "application/force-download",
    "application/x-download",
    "application/download",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
}
_TEXTS = {TEXT, CSV, TSV, texts.HTML, texts.XML, texts.MAIL, texts.JSON, texts.LINES}
#: Types whose files are text. Only the declared type or the name distinguishes most of them.
_TEXTUAL = re.compile(
    r"text/.+|message/.+|(?:application|image|model|font|audio|video|chemical)/(?:.+\+(?:json|xml|yaml|json-seq))"
    rf"|{re.escape(SVG)}|model/(?:obj|mtl|step|iges|vrml)|chemical/.+|application/(?:json|xml|x-xml|yaml|x-yaml|toml|x-toml|sql|x-sql"
    r"|csv|x-csv|x-ndjson|ndjson|jsonl|x-jsonl|jsonlines|x-jsonlines|json5|json-seq|javascript|x-javascript|ecmascript|typescript"
    r"|graphql|x-sh|x-shellscript|x-csh|x-httpd-php|x-python-code|x-perl|x-ruby|x-tex|x-latex|x-texinfo|x-troff.*|x-bibtex"
    r"|x-subrip|ttml|mbox|pgp-.+|x-pem-file|x-x509-.+|pem-certificate-chain|pkcs8|n-triples|n-quads|trig|x-turtle"
    r"|sparql-.+|xml-dtd|relax-ng-compact-syntax|edifact|edi-.+|dxf|x-ini|x-desktop|x-subtitle|x-mpegurl|vnd\.apple\.mpegurl)"
)
#: A container → types whose files may begin as it does, without a sign of their own among the first bytes.
_FINER = {
    "video/mp4": r"audio/(?:mp4|x-m4a|m4a|aac|mp4a-latm)|video/(?:quicktime|x-m4v|3gpp2?|mj2)",
    "video/quicktime": r"audio/.+|video/mp4",
    "video/webm": r"audio/webm",
    "video/x-matroska": r"audio/(?:x-matroska|matroska|webm)|video/(?:webm|matroska.*)",
    "audio/ogg": r"(?:audio|video|application)/(?:ogg|opus|x-vorbis.*|vorbis|speex|x-speex|flac|x-flac\+ogg|x-ogm)",
    "video/x-ms-wmv": r"audio/x-ms-wm[av]|video/x-ms-asf|application/vnd\.ms-asf",
    "application/gzip": r".+\+gzip|application/(?:x-tgz|x-gtar|x-tar-gz|x-compressed-tar|x-compressed|x-nifti.*|x-rdata|x-r-data)",
    "application/x-sqlite3": r".+\+sqlite3|application/(?:vnd\.sqlite3|x-mbtiles|vnd\.mapbox.+)",
    "application/x-executable": r"application/(?:x-elf|x-sharedlib|x-object|x-core|x-pie-executable)",
    "application/x-hdf5": r"application/(?:x-netcdf|netcdf|x-hdf.*|vnd\.hdf.*|x-matlab-data|matlab-mat)",
}
#: The programs of Office, as types of their files name them.
_PROGRAMS = {
    "wordprocessingml": "word",
    "ms-word": "word",
    "spreadsheetml": "excel",
    "ms-excel": "excel",
    "presentationml": "powerpoint",
    "ms-powerpoint": "powerpoint",
}
_PROGRAM = re.compile(rf"application/vnd\.(?:openxmlformats-officedocument\.)?({'|'.join(_PROGRAMS)})\..+")
#: Types whose files always begin with a known signature: without it, the declared type is wrong.
_SIGNED = re.compile(
    r"(?:image|audio|video|text|font)/.+|application/(?:pdf|x-pdf|gzip|x-gzip|x-tar|x-7z-compressed|vnd\.rar|x-rar.*|x-bzip2?|x-xz"
    r"|json|xml|vnd\.apache\.(?:parquet|arrow\.file|avro)|x-parquet|parquet|vnd\.sqlite3|x-sqlite3|wasm|rtf|postscript)"
)


def decide_type(declared: str, head: bytes, name: str = "") -> str:
    """The type to go by, in lower case and without parameters.

    The detected type wins, but over a declared finer type of its family: most texts, and most files that are ZIP archives, show
    no sign of their own. The extension of `name` speaks where the declared type says nothing, is no media type, or cannot be that
    of bytes that show nothing known. Decided again from the answer, the type is the same.
    """
    wanted, detected = essence(declared), sniff(head)
    if wanted in _SAYS_NOTHING:
        suggested = extensions.by_name(name)
        wanted = UNKNOWN if suggested == TEXT != detected != UNKNOWN else suggested  # `.txt` may be any kind of text
    if detected == UNKNOWN:
        possible = (one for one in (wanted, extensions.by_name(name)) if _may_lack_a_signature(one, head))
        return next(possible, UNKNOWN)
    return wanted if _is_finer(wanted, detected) else detected


def _may_lack_a_signature(wanted: str, head: bytes) -> bool:
    if _TEXTUAL.fullmatch(wanted):
        return may_be_text(head)
    return not (_SIGNED.fullmatch(wanted) or zips.is_zipped(wanted) or compound.is_kept_in_compound(wanted))


def _is_finer(wanted: str, detected: str) -> bool:
    """Whether the bytes may be of the wanted type, although they show this one."""
    if detected in _TEXTS:
        return _TEXTUAL.fullmatch(wanted) is not None
    if detected in (zips.ZIP, zips.JAR):
        return zips.is_zipped(wanted) and not zips.is_plain(wanted)
    if program := _program(detected):
        return _program(wanted) == program and zips.is_zipped(wanted)
    if detected == compound.COMPOUND:
        return compound.is_kept_in_compound(wanted)
    return re.fullmatch(_FINER.get(detected, "(?!)"), wanted) is not None


def _program(content_type: str) -> str:
    found = _PROGRAM.fullmatch(content_type)
    return _PROGRAMS[found[1]] if found else ""
