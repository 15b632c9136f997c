"""Compound files ([MS-CFB]): Office 97, Outlook, locked Office files. Their first streams name the kind."""

import re

COMPOUND = "application/x-ole-storage"
SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: [MS-CFB] §2.6.1: an entry of the directory, its name in UTF-16 and the length of that.
_ENTRY_BYTES, _NAME_BYTES = 128, 64
#: A name of a stream → the type. A locked Office file may be of any kind: its name or sender decides.
_STREAMS = {
    "WordDocument": "application/msword",
    "Workbook": "application/vnd.ms-excel",
    "Book": "application/vnd.ms-excel",
    "PowerPoint Document": "application/vnd.ms-powerpoint",
    "__properties_version1.0": "application/vnd.ms-outlook",
    "__nameid_version1.0": "application/vnd.ms-outlook",
    "VisioDocument": "application/vnd.visio",
}
#: What the first sector begins with, where a program writes its main stream there.
_FIRST_SECTOR = (
    (b"\xec\xa5\xc1\0", "application/msword"),
    (b"\x09\x08\x10\0\0\x06\x05\0", "application/vnd.ms-excel"),
    (b"\x0f\0\xe8\x03", "application/vnd.ms-powerpoint"),
)
_KEPT_IN = re.compile(
    r"application/(?:msword|vnd\.ms-(?:excel|powerpoint|outlook|project|works|office|publisher)(?:\..+)?|vnd\.visio|x-msi|x-msg"
    r"|vnd\.openxmlformats-officedocument\..+|vnd\.ms-[\w.-]+\.macroenabled\.12|x-mspublisher|x-hwp|vnd\.hancom\.hwp|x-msdownload)"
)


def is_kept_in_compound(content_type: str) -> bool:
    """Whether files of this type are compound files, or are so when they are locked with a password."""
    return _KEPT_IN.fullmatch(content_type) is not None


def by_streams(head: bytes) -> str:
    """The type of a compound file, where its directory or main stream lies within `head`."""
    shift = int.from_bytes(head[30:32], "little")
    if shift not in (9, 12):  # [MS-CFB] §2.2: sectors of 512 or 4096 bytes
        return COMPOUND
    start = int.from_bytes(head[48:52], "little") + 1 << shift
    entries = (head[at : at + _ENTRY_BYTES] for at in range(start, min(start + (1 << shift), len(head)), _ENTRY_BYTES))
    streams = (_STREAMS[name] for entry in entries if (name := _name(entry)) in _STREAMS)
    marks = (kind for mark, kind in _FIRST_SECTOR if head.startswith(mark, 1 << shift))
    return next(streams, next(marks, COMPOUND))


def _name(entry: bytes) -> str:
    size = int.from_bytes(entry[_NAME_BYTES : _NAME_BYTES + 2], "little")
    return entry[: max(0, min(size, _NAME_BYTES) - 2)].decode("utf-16-le", errors="replace")
