"""Caps on an archive: its members, the bytes that it unpacks to, and their ratio to the bytes of the file."""

from dataclasses import dataclass

from shared.errors import BadFile

#: Bytes that any archive may unpack to whatever its ratio: small files of zeros are common and harmless.
FREE_BYTES = 16 << 20


@dataclass
class Bounds:
    """Counts what an archive holds. `packed_bytes` is the size of its file."""

    packed_bytes: int
    max_members: int
    max_unpacked_bytes: int
    max_ratio: int
    members: int = 0
    unpacked_bytes: int = 0

    def add(self, size: int, members: int = 1) -> None:
        """Count a member of this size, unpacked, or several together. Raises `BadFile` above a cap."""
        self.members += members
        if self.members > self.max_members:
            raise BadFile(f"the archive has more members than {self.max_members:,}, the limit", "too_many_members")
        self.unpacked_bytes += size
        self.check(self.unpacked_bytes)

    def check(self, unpacked_bytes: int) -> None:
        """Raises `BadFile` where so many bytes are above a cap."""
        if unpacked_bytes > self.max_unpacked_bytes:
            problem = f"the archive unpacks to more than {self.max_unpacked_bytes:,} bytes, the limit"
            raise BadFile(problem, "unpacks_too_large")
        if unpacked_bytes > FREE_BYTES and unpacked_bytes > self.max_ratio * self.packed_bytes:
            problem = f"the archive unpacks to more than {self.max_ratio:,} times its size, the limit"
            raise BadFile(problem, "unpacks_too_large")
