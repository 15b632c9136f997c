"""The caps on an archive: what equals a cap is within it, and one more is not."""

import pytest

from shared.errors import BadFile
from shared.processors.archives.bounds import FREE_BYTES, Bounds
from shared.processors.archives.member import is_unsafe, shown


def refusal(bounds: Bounds, size: int, members: int = 1) -> str:
    try:
        bounds.add(size, members)
    except BadFile as error:
        return error.code
    return ""


def test_members_may_be_as_many_as_the_cap() -> None:
    bounds = Bounds(packed_bytes=100, max_members=3, max_unpacked_bytes=1000, max_ratio=10)

    assert [refusal(bounds, 0, 2), refusal(bounds, 0), refusal(bounds, 0)] == ["", "", "too_many_members"]


def test_unpacked_bytes_may_be_as_many_as_the_cap() -> None:
    bounds = Bounds(packed_bytes=100, max_members=9, max_unpacked_bytes=1000, max_ratio=100)

    assert [refusal(bounds, 400), refusal(bounds, 600), refusal(bounds, 1)] == ["", "", "unpacks_too_large"]
    assert (bounds.members, bounds.unpacked_bytes) == (3, 1001)


@pytest.mark.parametrize(
    ("packed", "unpacked", "reason"),
    [
        (1, FREE_BYTES, ""),
        (1, FREE_BYTES + 1, "unpacks_too_large"),
        (1 << 21, 20 << 20, ""),
        (1 << 21, (20 << 20) + 1, "unpacks_too_large"),
    ],
)
def test_the_ratio_counts_beyond_the_free_bytes(packed: int, unpacked: int, reason: str) -> None:
    assert refusal(Bounds(packed, max_members=9, max_unpacked_bytes=1 << 30, max_ratio=10), unpacked) == reason


@pytest.mark.parametrize("path", ["/a", "\\a", "c:a", "C:\\a", "..", "../a", "a/..", "a/../b", "a\\..\\b", "a\\../b"])
def test_a_path_may_lead_out(path: str) -> None:
    assert is_unsafe(path)


@pytest.mark.parametrize("path", ["", "a", "a/b", "a..b", "a/..b/c", "...", "ab:c", "a/b:c"])
def test_a_path_may_stay_within(path: str) -> None:
    assert not is_unsafe(path)


def test_a_text_is_shown_in_a_thousand_printable_characters() -> None:
    assert shown("a\nb\x00c\u202ed é") == "a\ufffdb\ufffdc\ufffdd é"
    assert shown("x" * 1001) == "x" * 1000
