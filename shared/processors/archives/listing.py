"""The facts of an archive."""

from collections.abc import Mapping
from typing import Any

from shared.model import within
from shared.processors.archives.member import Archive, Member, is_unsafe, shown
from shared.processors.registry import MAX_LISTED_BYTES


def listing(archive: Archive, most: int) -> Mapping[str, Any]:
    """Count the members, and describe at most so many of the first ones. Raises `BadFile`, also above a cap."""
    survey, bounds = archive.survey(most), archive.bounds
    return {
        "format": archive.format,
        "members": bounds.members,
        "kinds": dict(survey.kinds),
        "packed_bytes": bounds.packed_bytes,
        "unpacked_bytes": bounds.unpacked_bytes,
        "encrypted_members": survey.encrypted,
        "unsafe_paths": survey.unsafe,
        **({"comment": archive.comment} if archive.comment else {}),
        "listed": list(within(map(_described, survey.first), MAX_LISTED_BYTES)),
    }


def _described(member: Member) -> dict[str, Any]:
    modified = {"modified": member.modified} if member.modified else {}
    marks = {"encrypted": member.is_encrypted, "unsafe": is_unsafe(member.path)}
    return {
        "path": shown(member.path),
        "kind": member.kind,
        "size": member.size,
        **modified,
        **{mark: True for mark, holds in marks.items() if holds},
    }
