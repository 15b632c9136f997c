"""The facts of an archive."""

from collections.abc import Mapping
from typing import Any

from shared.model import canonical
from shared.processors.archives.member import Archive, Member, is_unsafe, shown

#: Of the members that facts describe: with the other facts they stay within 64 KiB, so that conditions can test those.
MAX_LISTED_BYTES = 48 << 10


def listing(archive: Archive, most: int) -> Mapping[str, Any]:
    """Count the members, and describe at most so many of the first ones. Raises `BadFile`, also above a cap."""
    survey, bounds = archive.survey(most), archive.bounds
    listed = Listed()
    for member in survey.first:
        listed.add(_described(member))
    return {
        "format": archive.format,
        "members": bounds.members,
        "kinds": dict(survey.kinds),
        "packed_bytes": bounds.packed_bytes,
        "unpacked_bytes": bounds.unpacked_bytes,
        "encrypted_members": survey.encrypted,
        "unsafe_paths": survey.unsafe,
        **({"comment": archive.comment} if archive.comment else {}),
        "listed": listed.entries,
    }


class Listed:
    """A list of entries that ends where its JSON would have more than `MAX_LISTED_BYTES`."""

    def __init__(self) -> None:
        self.entries: list[Mapping[str, Any]] = []
        self._left = MAX_LISTED_BYTES

    def add(self, entry: Mapping[str, Any]) -> None:
        """Add an entry; the first one without room ends the list."""
        self._left -= len(canonical(dict(entry))) + 1
        if self._left >= 0:
            self.entries.append(entry)


def _described(member: Member) -> Mapping[str, Any]:
    modified = {"modified": member.modified} if member.modified else {}
    marks = {"encrypted": member.is_encrypted, "unsafe": is_unsafe(member.path)}
    return {
        "path": shown(member.path),
        "kind": member.kind,
        "size": member.size,
        **modified,
        **{mark: True for mark, holds in marks.items() if holds},
    }
