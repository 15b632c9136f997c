"""Facts of archives against values written by hand, and hostile archives."""

import bz2
import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from shared.errors import BadConfiguration, BadFile
from shared.testing import run_processor
from tests.unit.archive.archives import (
    directory,
    encrypted,
    overlapping,
    patched,
    tar_member,
    tarred,
    with_checksum,
    zipped,
)

MIB = 1 << 20
PLAIN = zipped({"photos/": b"", "photos/cat.txt": b"meow" * 25, "caf\u00e9.txt": b"x"}, comment=b"of 2024\n")
TAR = tarred(
    tar_member("photos", tarfile.DIRTYPE),
    tar_member("photos/cat.txt", data=b"meow" * 25),
    tar_member("caf\u00e9.txt", data=b"x"),
)


def facts(data: bytes, **options: Any) -> Any:
    return run_processor("archive.list", data, **options).facts


def refusal(data: bytes, **options: Any) -> BadFile:
    with pytest.raises(BadFile) as error:
        facts(data, **options)
    return error.value


def test_a_zip_is_described_by_its_directory() -> None:
    assert facts(PLAIN) == {
        "format": "zip",
        "comment": "of 2024\ufffd",
        "members": 3,
        "kinds": {"file": 2, "folder": 1},
        "packed_bytes": len(PLAIN),
        "unpacked_bytes": 101,
        "encrypted_members": 0,
        "unsafe_paths": 0,
        "listed": [
            {"path": "photos/", "kind": "folder", "size": 0, "modified": "2024-01-31T12:00:00"},
            {"path": "photos/cat.txt", "kind": "file", "size": 100, "modified": "2024-01-31T12:00:00"},
            {"path": "caf\u00e9.txt", "kind": "file", "size": 1, "modified": "2024-01-31T12:00:00"},
        ],
    }


@pytest.mark.parametrize(
    ("format_name", "pack"),
    [
        ("tar", bytes),
        ("tar.gz", lambda data: gzip.compress(data, mtime=0)),
        ("tar.bz2", bz2.compress),
        ("tar.xz", lzma.compress),
    ],
    ids=["tar", "gzip", "bzip2", "xz"],
)
def test_a_tar_is_described_whatever_packs_it(format_name: str, pack: Callable[[bytes], bytes]) -> None:
    packed = pack(TAR)

    assert facts(packed) == {
        "format": format_name,
        "members": 3,
        "kinds": {"file": 2, "folder": 1},
        "packed_bytes": len(packed),
        "unpacked_bytes": 101,
        "encrypted_members": 0,
        "unsafe_paths": 0,
        "listed": [
            {"path": "photos", "kind": "folder", "size": 0, "modified": "2024-01-31T12:00:00Z"},
            {"path": "photos/cat.txt", "kind": "file", "size": 100, "modified": "2024-01-31T12:00:00Z"},
            {"path": "caf\u00e9.txt", "kind": "file", "size": 1, "modified": "2024-01-31T12:00:00Z"},
        ],
    }


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT], ids=["ustar", "gnu", "pax"])
def test_every_form_of_tar_is_read(form: int) -> None:
    name = "/".join(["folder" * 10] * 3) + "/file"

    assert facts(tarred(tar_member(name, data=b"12"), form=form))["listed"] == [
        {"path": name, "kind": "file", "size": 2, "modified": "2024-01-31T12:00:00Z"}
    ]


def test_an_empty_zip_has_no_members() -> None:
    found = facts(zipped({}))

    assert (found["members"], found["kinds"], found["listed"]) == (0, {}, [])


def test_links_and_devices_are_named() -> None:
    modes = {"link": stat.S_IFLNK | 0o777, "disk": stat.S_IFBLK | 0o600, "pipe": stat.S_IFIFO | 0o600, "dir": stat.S_IFDIR}
    zip_kinds = [one["kind"] for one in facts(zipped(dict.fromkeys(modes, b"/etc/passwd"), modes=modes))["listed"]]
    members = [
        tar_member("soft", tarfile.SYMTYPE, target="/etc/passwd"),
        tar_member("hard", tarfile.LNKTYPE, target="soft"),
        tar_member("tty", tarfile.CHRTYPE),
        tar_member("pipe", tarfile.FIFOTYPE),
    ]
    found = facts(tarred(*members))

    assert zip_kinds == ["link", "device", "device", "folder"]
    assert [one["kind"] for one in found["listed"]] == ["link", "link", "device", "device"]
    assert found["kinds"] == {"link": 2, "device": 2}


@pytest.mark.parametrize("path", ["/etc/passwd", "../a", "a/../../b", "..\\a", "\\\\host\\a", "C:\\a", "a\\..\\b", "a/.."])
def test_a_path_that_leads_out_of_its_folder_is_marked(path: str) -> None:
    for data in (
        zipped({path: b"", "ok..txt": b"", "..a/b": b""}),
        tarred(tar_member(path), tar_member("ok..txt"), tar_member("..a/b")),
    ):
        found = facts(data)

        assert found["unsafe_paths"] == 1
        assert [one.get("unsafe", False) for one in found["listed"]] == [True, False, False]


def test_an_encrypted_member_is_listed_and_marked() -> None:
    found = facts(encrypted(zipped({"secret.txt": b"x"})))

    assert found["encrypted_members"] == 1
    assert found["listed"][0]["encrypted"] is True


def test_only_the_first_members_are_listed() -> None:
    data = zipped({f"{number:03}": b"" for number in range(150)})

    assert [one["path"] for one in facts(data)["listed"]] == [f"{number:03}" for number in range(100)]
    assert [one["path"] for one in facts(data, listed=2)["listed"]] == ["000", "001"]
    assert (facts(data, listed=0)["members"], facts(data, listed=0)["listed"]) == (150, [])


def test_long_paths_end_the_list_so_that_the_facts_stay_in_the_manifest() -> None:
    made = run_processor("archive.list", zipped({f"{number:04}" + "\u20ac" * 990: b"" for number in range(100)}))

    assert made.outputs == []
    assert made.facts["members"] == 100
    assert len(made.facts["listed"]) == 16  # 3 KB each, of 48


def test_a_path_is_shown_in_one_line_of_limited_length() -> None:
    found = facts(tarred(tar_member("a\nb\udcff"), tar_member("n" * 1500)))

    assert [one["path"] for one in found["listed"]] == ["a\ufffdb\ufffd", "n" * 1000]


def test_a_time_that_is_none_is_left_out() -> None:
    data = zipped({"a": b""})
    undated = patched(data, directory(data) + 12, b"\0\0\0\0")
    far, content = tar_member("a")
    far.mtime = 1 << 62

    assert "modified" not in facts(undated)["listed"][0]
    assert "modified" not in facts(tarred((far, content)))["listed"][0]


# ---- hostile and damaged archives ---------------------------------------------------------------------------------------


def test_members_that_overlap_are_refused() -> None:
    assert refusal(overlapping()).code == "overlapping_members"


def test_a_zip_that_states_an_impossible_size_unpacks_too_large() -> None:
    data = zipped({"a": b"x"})
    lying = patched(data, directory(data) + 24, struct.pack("<I", 0xFFFFFFF0))

    assert refusal(lying, max_ratio=100_000).code == "unpacks_too_large"


def test_a_zip_bomb_is_refused_by_its_ratio() -> None:
    bomb = zipped({"zeros": bytes(17 * MIB)})

    assert refusal(bomb).message == "the archive unpacks to more than 200 times its size, the limit"
    assert facts(bomb, max_ratio=2000)["unpacked_bytes"] == 17 * MIB


def test_a_bomb_within_gzip_is_refused_before_it_is_unpacked_whole() -> None:
    bomb = gzip.compress(tarred(tar_member("zeros", data=bytes(17 * MIB))), mtime=0)

    assert refusal(bomb).code == "unpacks_too_large"


def test_headers_without_end_count_as_bytes_too() -> None:
    names = tarred(*[tar_member(f"{number}") for number in range(2100)])

    assert refusal(names, max_unpacked_bytes=MIB - 1).code == "unpacks_too_large"


def test_a_sparse_member_counts_by_the_size_it_unpacks_to() -> None:
    info, _ = tar_member("sparse", tarfile.GNUTYPE_SPARSE)
    header = info.tobuf(tarfile.GNU_FORMAT)
    sparse = patched(header, 483, b"%011o\0" % (5 << 30))

    assert refusal(with_checksum(sparse) + bytes(1024)).code == "unpacks_too_large"


def test_many_members_are_refused() -> None:
    for data in (zipped(dict.fromkeys("abc", b"")), tarred(*map(tar_member, "abc"))):
        assert refusal(data, max_members=2).code == "too_many_members"
        assert facts(data, max_members=3)["members"] == 3


@pytest.mark.parametrize("kept", [40, len(PLAIN) - 40, len(PLAIN) // 2])
def test_a_zip_that_ends_too_early_is_truncated(kept: int) -> None:
    assert refusal(PLAIN[:kept]).code == "truncated"


@pytest.mark.parametrize("kept", [600, 1024 + 100, 1536 + 50])
def test_a_tar_that_ends_too_early_is_truncated(kept: int) -> None:
    assert refusal(TAR[:kept]).code == "truncated"


@pytest.mark.parametrize(
    "packed", [gzip.compress(TAR, mtime=0), bz2.compress(TAR), lzma.compress(TAR)], ids=["gzip", "bzip2", "xz"]
)
def test_a_packed_tar_that_ends_too_early_is_truncated(packed: bytes) -> None:
    assert refusal(packed[: len(packed) * 2 // 3]).code == "truncated"


def test_a_damaged_header_in_the_middle_is_no_end() -> None:
    damaged = patched(TAR, 512 + 100, b"\xff\xff")

    assert refusal(damaged).code == "corrupt"


@pytest.mark.parametrize(
    "size", [b"\xff" * 12, b"\xff" * 10 + b"\0\0", b"\x80" + b"\xff" * 11], ids=["-1", "-65536", "immense"]
)
def test_a_size_that_leads_back_ends_the_reading(size: bytes) -> None:
    """CVE-2025-8194: a negative size made tarfile read the same header for ever."""
    header = patched(TAR[:512], 124, size)
    hostile = with_checksum(patched(header, 156, tarfile.REGTYPE)) + TAR[512:]

    assert refusal(hostile).code in ("corrupt", "truncated", "unpacks_too_large")


@pytest.mark.parametrize(("kind", "data"), [(b"L", b"name\0"), (b"x", b"11 path=ab\n")], ids=["long names", "PAX"])
def test_headers_for_headers_without_end_are_corrupt(kind: bytes, data: bytes) -> None:
    header = tarred(tar_member("of the next header", kind, data), form=tarfile.GNU_FORMAT)[:1024]

    assert refusal(header * 5000 + TAR).code == "corrupt"


def test_a_damaged_directory_is_corrupt() -> None:
    assert refusal(patched(PLAIN, PLAIN.index(b"PK\x01\x02") + 1, b"X")).code == "corrupt"
    assert refusal(patched(PLAIN, PLAIN.index(b"PK\x01\x02") + 42, b"\xf0\xff\xff\xff")).code in (
        "corrupt",
        "overlapping_members",
    )


def test_a_damaged_packing_is_corrupt() -> None:
    packed = gzip.compress(TAR, mtime=0)

    assert refusal(patched(packed, len(packed) - 8, b"\0\0\0\0")).code == "corrupt"
    assert refusal(b"BZh9" + bytes(100)).code == "corrupt"
    assert refusal(b"\xfd7zXZ\0" + bytes(100)).code == "corrupt"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"7z\xbc\xaf\x27\x1c\0\4", "7z"),
        (b"Rar!\x1a\x07\x01\0", "RAR"),
        (gzip.compress(b"a log", mtime=0), "packed by gzip that holds no tar"),
        (b"meow", "no archive"),
        (b"\x28\xb5\x2f\xfd\0\0", "Zstandard"),
    ],
    ids=["7z", "rar", "log", "text", "zstd"],
)
def test_other_files_are_unsupported_and_named(data: bytes, words: str) -> None:
    error = refusal(data)

    assert error.code == "unsupported"
    assert words in error.message
    assert "send a zip or tar archive" in error.message


def test_an_archive_in_an_archive_is_a_member_like_any_other() -> None:
    inner = zipped({"deeper": bytes(MIB)}, compression=zipfile.ZIP_DEFLATED)
    found = facts(zipped({f"lib {number}.zip": inner for number in range(16)}))

    assert (found["members"], found["unpacked_bytes"]) == (16, 16 * len(inner))


@pytest.mark.parametrize(
    "options",
    [
        {"max_members": 0},
        {"max_ratio": True},
        {"max_unpacked_bytes": "1 GB"},
        {"listed": -1},
        {"listed": 1001},
        {"max_ratio": 1.5},
    ],
    ids=str,
)
def test_a_cap_is_a_whole_number(options: dict[str, Any]) -> None:
    with pytest.raises(BadConfiguration, match=rf"^options\.{min(options)}: .*write a whole number"):
        facts(PLAIN, **options)
