"""Batches of files out of an archive, and the verdicts of the members that stay packed."""

import bz2
import gzip
import lzma
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from shared import processors
from shared.errors import BadFile
from shared.processors.archives.unpacking import object_name
from shared.testing import Outcome, run_processor
from tests.unit.archive.archives import directory, encrypted, patched, tar_member, tarred, zipped

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(30)
MEMBERS = {"a/": b"", "a/cat.png": PICTURE, "notes.md": b"# Notes", "data.bin": b"\0\1\2"}


def batch(data: bytes, **options: Any) -> Outcome:
    return run_processor("archive.extract", data, **options)


def reasons(made: Outcome) -> Mapping[int, str]:
    return {entry["number"]: entry["reason"] for entry in made.facts["refused"]}


def as_tar(members: Mapping[str, bytes]) -> bytes:
    kinds = {True: tarfile.DIRTYPE, False: tarfile.REGTYPE}
    return tarred(*[tar_member(name, kinds[name.endswith("/")], data) for name, data in members.items()])


@pytest.mark.parametrize(
    "pack",
    [zipped, as_tar, lambda files: gzip.compress(as_tar(files)), lambda files: bz2.compress(as_tar(files)),
     lambda files: lzma.compress(as_tar(files))],
    ids=["zip", "tar", "gzip", "bzip2", "xz"],
)  # fmt: skip
def test_files_are_unpacked_under_their_numbers(pack: Callable[[Mapping[str, bytes]], bytes]) -> None:
    made = batch(pack(MEMBERS))

    assert [(one.name, one.content_type, one.data) for one in made.outputs] == [
        ("2", "image/png", PICTURE),
        ("3", "text/markdown", b"# Notes"),
        ("4", "application/octet-stream", b"\0\1\2"),
    ]
    assert made.outputs[0].facts == {"number": 2, "path": "a/cat.png", "size": len(PICTURE), "name": "cat.png"}
    assert (made.facts["members"], made.facts["unpacked_bytes"]) == (4, len(PICTURE) + 10)
    assert (made.facts["refused"], made.facts["next"]) == ([], 0)


@pytest.mark.parametrize("pack", [zipped, as_tar], ids=["zip", "tar"])
def test_batches_go_on_where_the_last_one_ended(pack: Callable[[Mapping[str, bytes]], bytes]) -> None:
    data, found, first = pack({f"{number}": bytes([number]) * 40 for number in range(1, 8)}), [], 1
    while first:
        made = batch(data, first=first, max_member_bytes=100)
        found.append([(one.name, one.data[0]) for one in made.outputs])
        first = made.facts["next"]

    assert found == [[("1", 1), ("2", 2)], [("3", 3), ("4", 4)], [("5", 5), ("6", 6)], [("7", 7)]]


def test_many_small_files_end_a_batch_too() -> None:
    made = batch(zipped({f"{number}": b"x" for number in range(600)}))

    assert (len(made.outputs), made.facts["next"]) == (500, 501)


def test_many_members_that_stay_packed_end_a_batch_too() -> None:
    made = batch(tarred(*[tar_member(f"../{number:03}" + "n" * 900) for number in range(100)]))

    assert made.facts["next"] == len(made.facts["refused"]) + 1
    assert 40 < made.facts["next"] < 50  # entries of 1.1 KB, of 48 KiB


def test_members_that_stay_packed_have_reasons() -> None:
    members = [
        tar_member("link", tarfile.SYMTYPE, target="/etc/passwd"),
        tar_member("hard", tarfile.LNKTYPE, target="link"),
        tar_member("disk", tarfile.BLKTYPE),
        tar_member("/etc/passwd", data=b"root"),
        tar_member("a/../../b", data=b"x"),
        tar_member("large", data=bytes(50)),
        tar_member("good", data=b"y"),
    ]
    made = batch(tarred(*members), max_member_bytes=49)

    assert reasons(made) == {1: "link", 2: "link", 3: "device", 4: "unsafe_path", 5: "unsafe_path", 6: "too_large"}
    assert [one.name for one in made.outputs] == ["7"]
    assert made.facts["refused"][3] == {
        "number": 4,
        "path": "/etc/passwd",
        "size": 4,
        "name": "passwd",
        "reason": "unsafe_path",
    }


def test_links_and_devices_of_a_zip_stay_packed() -> None:
    modes = {"link": stat.S_IFLNK | 0o777, "disk": stat.S_IFBLK | 0o600}

    assert reasons(batch(zipped({"link": b"/etc/passwd", "disk": b"", "x": b"x"}, modes=modes))) == {1: "link", 2: "device"}


def test_an_encrypted_member_needs_a_password() -> None:
    assert reasons(batch(encrypted(zipped({"secret": b"x"})))) == {1: "password"}


@pytest.mark.parametrize("stated", [4, 400], ids=["less", "more"])
def test_a_member_that_lies_about_its_size_is_corrupt(stated: int) -> None:
    data = zipped(
        {
            "a": b"meow" * 25,
        }
    )
    lying = patched(data, directory(data) + 24, struct.pack("<I", stated))

    assert reasons(batch(lying)) == {1: "corrupt"}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damage_of_one_member_of_a_zip_spares_the_others(method: int) -> None:
    content = bytes(range(256)) * 4
    data = zipped({"a": content, "b": content}, compression=method)
    place = 31 + 30  # behind the first header
    damaged = patched(data, place, bytes(byte ^ 0x55 for byte in data[place : place + 8]))
    made = batch(damaged)

    assert reasons(made) == {1: "corrupt"}
    assert [(one.name, one.data) for one in made.outputs] == [("2", content)]


def test_an_unknown_method_is_unsupported() -> None:
    data = zipped({"a": b"x"})
    strange = patched(patched(data, 8, b"\x62"), directory(data) + 10, b"\x62")

    assert reasons(batch(strange)) == {1: "unsupported"}


def test_damage_behind_the_batch_refuses_the_archive_before_anything_is_uploaded() -> None:
    data = tarred(*[tar_member(f"{number}", data=bytes(2000)) for number in range(9)])

    with pytest.raises(BadFile) as refused:
        batch(data[: len(data) // 2 - 100], max_member_bytes=2000)

    assert refused.value.code == "truncated"


def test_a_cap_refuses_the_archive_before_anything_is_uploaded() -> None:
    with pytest.raises(BadFile) as refused:
        batch(zipped({"a": b"x" * 60, "b": b"x" * 60}), max_unpacked_bytes=100, max_member_bytes=60)

    assert refused.value.code == "unpacks_too_large"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/b/cat.png", "cat.png"),
        ("a\\b\\cat.png", "cat.png"),
        ("caf\u00e9.txt", "caf\u00e9.txt"),
        ("a\nb\ufffd\udcff", "a_b__"),
        ("a/..", "member"),
        ("/", "member"),
        ("n" * 300 + ".tar", "n" * 196 + ".tar"),
        ("\u20ac" * 100, "\u20ac" * 66),
        ("x." + "e" * 300, "x." + "e" * 198),
    ],
)
def test_an_object_has_the_last_part_of_a_path(path: str, name: str) -> None:
    assert object_name(path) == name


def test_a_member_of_just_the_most_bytes_is_unpacked() -> None:
    made = batch(zipped({"a": b"x" * 100, "b": b"x" * 101}), max_member_bytes=100)

    assert [output.name for output in made.outputs] == ["1"]
    assert reasons(made) == {2: "too_large"}


def test_nothing_stays_of_a_member_that_is_damaged(tmp_path: Path) -> None:
    source, folder = tmp_path / "source", tmp_path / "folder"
    data = zipped({"a": b"meow" * 25}, compression=zipfile.ZIP_STORED)
    source.write_bytes(data.replace(b"meow", b"woof", 1))
    folder.mkdir()
    processor = processors.find("archive.extract")

    assert processor.run(source, folder, processor.check({})).facts["refused"][0]["reason"] == "corrupt"
    assert list(folder.iterdir()) == []


def test_the_extension_of_a_packed_text_is_that_of_its_packing() -> None:
    made = batch(zipped({"a.md.gz": b"# text\n"}))

    assert [output.content_type for output in made.outputs] == ["text/plain"]


def test_contiguous_files_of_a_tar_are_files() -> None:
    made = batch(tarred(tar_member("a", tarfile.CONTTYPE, b"x")))

    assert [output.data for output in made.outputs] == [b"x"]
