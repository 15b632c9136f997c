"""A batch of the files in an archive, unpacked under their numbers; and the names that they have as objects."""

import functools
import mimetypes
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared import media
from shared.model import canonical
from shared.processors.archive_options import Extract
from shared.processors.archives.member import Archive, Kind, Member, is_unsafe, shown
from shared.processors.registry import Draft

#: Of one batch. The facts of its files together have to fit into the result of a sandbox.
MAX_FILES = 500
#: Of the members of one batch that stay packed, as JSON: facts have at most 64 KiB.
MAX_REFUSED_BYTES = 48 << 10
#: Longest name of an object, so that the names of the outputs made from it have room.
MAX_NAME_BYTES = 200
MAX_EXTENSION_BYTES = 20
#: Texts: their bytes do not show which.
_TEXTS = {".md": "text/markdown", ".ndjson": "application/x-ndjson", ".jsonl": "application/x-ndjson"}
_KINDS: Mapping[Kind, str] = {"link": "link", "device": "device", "other": "unsupported"}


def batch(archive: Archive, folder: Path, options: Extract) -> Iterator[Draft | Mapping[str, Any]]:
    """Unpack files from the member `first` on, and read the archive to its end: damage or a cap refuses all of it.

    Yields a draft for each file, and as facts `refused` members with their reasons and `next`. Raises `BadFile`.
    """
    bounds, taken = archive.bounds, _Batch(folder, options.max_member_bytes)
    for member in archive.members():
        bounds.add(member.size)
        if member.number < options.first or member.kind == "folder" or taken.next:
            continue
        taken.add(member, archive)
    yield from taken.drafts
    counted = {"members": bounds.members, "unpacked_bytes": bounds.unpacked_bytes}
    yield {"format": archive.format, **counted, "refused": taken.refused, "next": taken.next}


class _Batch:
    """The files of a batch, and the members that stay packed. `next` is the first member without room, or 0."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.drafts: list[Draft] = []
        self.refused: list[Mapping[str, Any]] = []
        self.next = 0
        self._folder = folder
        self._most = most_bytes
        self._bytes = self._refused_bytes = 0

    def add(self, member: Member, archive: Archive) -> None:
        """Unpack a member, or refuse it with a reason, or end the batch before it."""
        reason = _refusal(member, self._most)
        if not reason and (self._bytes + member.size > self._most or len(self.drafts) == MAX_FILES):
            self.next = member.number
            return
        path = self._folder / str(member.number)
        reason = reason or archive.unpack(member, path)
        if reason:
            path.unlink(missing_ok=True)
            self._refuse(member, reason)
        else:
            self._bytes += member.size
            self.drafts.append(Draft(path.name, _content_type(path, member), path, described(member)))

    def _refuse(self, member: Member, reason: str) -> None:
        entry = {**described(member), "reason": reason}
        size = len(canonical(entry)) + 1
        if self._refused_bytes + size > MAX_REFUSED_BYTES:
            self.next = member.number
            return
        self._refused_bytes += size
        self.refused.append(entry)


def described(member: Member) -> dict[str, Any]:
    """The facts of a member: its number, path and size, and the name of its object."""
    return {"number": member.number, "path": shown(member.path), "size": member.size, "name": object_name(member.path)}


def object_name(path: str) -> str:
    """The last part of a path, printable and not too long; its extension stays."""
    last = path.replace("\\", "/").rstrip("/").rpartition("/")[2]
    plain = "".join(each if each.isprintable() and each != "\ufffd" else "_" for each in last)
    if plain in ("", ".", ".."):
        return "member"
    if len(plain.encode()) <= MAX_NAME_BYTES:
        return plain
    _, dot, extension = plain.rpartition(".")
    kept = f"{dot}{extension}" if len(extension.encode()) <= MAX_EXTENSION_BYTES else ""
    return plain.encode()[: MAX_NAME_BYTES - len(kept.encode())].decode(errors="ignore") + kept


def _refusal(member: Member, most_bytes: int) -> str:
    if is_unsafe(member.path):
        return "unsafe_path"
    if member.kind in _KINDS:
        return _KINDS[member.kind]
    return "too_large" if member.size > most_bytes else ""


def _content_type(path: Path, member: Member) -> str:
    """The type by the first bytes, and by the extension where they do not show it."""
    with path.open("rb") as file:
        head = file.read(media.HEAD_BYTES)
    guessed, packed = _types().guess_type(object_name(member.path))
    return media.decide_type(media.UNKNOWN if packed or not guessed else guessed, head)


@functools.cache
def _types() -> mimetypes.MimeTypes:
    """Types by extension: those of the standard library, not of this machine, and those that older ones lack."""
    types = mimetypes.MimeTypes()
    for extension, content_type in _TEXTS.items():
        types.add_type(content_type, extension)
    return types
