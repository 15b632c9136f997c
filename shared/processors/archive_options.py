"""Options of the archive processors, and their checks. No library here: every service checks options."""

from dataclasses import dataclass

from shared.errors import BadConfiguration

MIB = 1 << 20
MOST_MEMBERS = 1_000_000
MOST_BYTES = 1 << 40
MOST_RATIO = 100_000
MOST_LISTED = 1000
MOST_DEPTH = 8


@dataclass(frozen=True, slots=True)
class List:
    """Caps of an archive that is listed. `listed` is the number of members that the facts describe one by one."""

    max_members: int = 100_000
    max_unpacked_bytes: int = 4096 * MIB
    max_ratio: int = 200
    listed: int = 100

    def __post_init__(self) -> None:
        _check("max_members", self.max_members, 1, MOST_MEMBERS)
        _check("max_unpacked_bytes", self.max_unpacked_bytes, 1, MOST_BYTES)
        _check("max_ratio", self.max_ratio, 1, MOST_RATIO)
        _check("listed", self.listed, 0, MOST_LISTED)


@dataclass(frozen=True, slots=True)
class Extract:
    """Caps of an archive that is extracted, from its member number `first` on.

    So many bytes as `max_member_bytes` are unpacked at a time. An archive that came out of `max_depth` archives stays packed.
    """

    max_members: int = 10_000
    max_unpacked_bytes: int = 1024 * MIB
    max_ratio: int = 200
    max_member_bytes: int = 64 * MIB
    max_depth: int = 1
    listed: int = 100
    first: int = 1

    def __post_init__(self) -> None:
        _check("max_members", self.max_members, 1, MOST_MEMBERS)
        _check("max_unpacked_bytes", self.max_unpacked_bytes, 1, MOST_BYTES)
        _check("max_ratio", self.max_ratio, 1, MOST_RATIO)
        _check("max_member_bytes", self.max_member_bytes, 1, MOST_BYTES)
        _check("max_depth", self.max_depth, 1, MOST_DEPTH)
        _check("listed", self.listed, 0, MOST_LISTED)
        _check("first", self.first, 1, MOST_MEMBERS)


def _check(option: str, value: object, least: int, most: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadConfiguration(f"options.{option}: {value!r}; write a whole number from {least} to {most}")
