"""A client's file name is hostile input: cleaned, kept readable, and bounded."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import naming
from shared.errors import BadRequest

HOSTILE = st.text(st.sampled_from("ab.é/\\\0\n\x7f\x85\ufffd\ud800😀"), max_size=300) | st.text(max_size=300)


def cleaned(name: str) -> str | None:
    try:
        return naming.clean(name)
    except BadRequest:
        return None


@given(HOSTILE)
def test_a_clean_name_is_one_printable_part_of_a_path(name: str) -> None:
    clean = cleaned(name)

    if clean is not None:
        assert clean not in ("", ".", "..")
        assert not set(clean) & {"/", "\\", "\ufffd"}
        assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in clean)
        assert 1 <= len(clean.encode()) <= 255
        assert name.endswith(clean)


@given(HOSTILE)
def test_cleaning_twice_changes_nothing(name: str) -> None:
    clean = cleaned(name)

    assert clean is None or naming.clean(clean) == clean


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("photo.jpg", "photo.jpg"),
        ("/photo.jpg", "photo.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\eve\\photo.jpg", "photo.jpg"),
        ("..photo..jpg", "..photo..jpg"),
        ("-rf", "-rf"),
        ("$(reboot) `id`.jpg", "$(reboot) `id`.jpg"),
        ("Käthe 😀.jpg", "Käthe 😀.jpg"),
        ("e\u0301.jpg", "e\u0301.jpg"),
        ("ä" * 127, "ä" * 127),
    ],
)
def test_people_recognise_the_name_they_gave(given_name: str, kept: str) -> None:
    assert naming.clean(given_name) == kept


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/..", "photos/", "\\", "a\nb", "a\0b", "a\x7f", "\ufffd.jpg", "\ud800", "ä" * 128]
)
def test_an_unusable_name_is_refused(name: str) -> None:
    with pytest.raises(BadRequest) as refused:
        naming.clean(name)

    assert refused.value.code == "bad_name"
    assert "name" in refused.value.message


def test_an_object_name_ends_with_the_clients_name() -> None:
    assert re.fullmatch(r"[a-z2-7]{26}/photo\.jpg", naming.object_name("holiday/photo.jpg"))


def test_the_clients_own_name_is_what_follows_the_characters_of_a_door() -> None:
    assert naming.own(naming.object_name("cat.png")) == "cat.png"
    assert naming.own("2026/cat.png") == "2026/cat.png"
    assert naming.own(f"{'a' * 27}/cat.png") == f"{'a' * 27}/cat.png"


def test_without_a_key_no_two_names_are_alike() -> None:
    names = {naming.object_name("photo.jpg") for _ in range(100)}

    assert len(names) == 100


def test_the_same_seed_gives_the_same_name() -> None:
    assert naming.object_name("photo.jpg", b"seed", 3) == naming.object_name("photo.jpg", b"seed", 3)


def test_seeds_and_numbers_give_different_names() -> None:
    names = {naming.object_name("photo.jpg", seed, number) for seed in (b"a", b"b") for number in (0, 1, 10)}

    assert len(names) == 6


@pytest.mark.parametrize("name", ["a", "a//b", "ä" * 512, "😀", "..a", ".well-known/x"])
def test_cloud_storage_takes_nearly_any_name(name: str) -> None:
    assert naming.is_possible(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a\nb", "a\rb", "ä" * 513, "\ud800", ".well-known/acme-challenge/x"], ids=ascii
)
def test_a_name_that_cloud_storage_refuses_is_impossible(name: str) -> None:
    assert not naming.is_possible(name)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("cat.jpg", "cat"),
        ("holiday/2026/Käthe 😀.jpeg", "Käthe 😀"),
        ("archive.tar.gz", "archive.tar"),
        ("no-extension", "no-extension"),
        ("a.b/no-extension", "no-extension"),
        (".jpg", ".jpg"),
        ("a/..", "_"),
        ("folder/", "folder"),
        ("/", "_"),
        ("{size}.jpg", "_size_"),
        ("a\tb\u202ec.jpg", "a_b_c"),
        ("ä" * 30 + ".jpg", "ä" * 20),
        ("x" + "ä" * 30 + ".jpg", "x" + "ä" * 19),
    ],
)
def test_the_stem_is_the_name_without_folders_and_extension(name: str, stem: str) -> None:
    assert naming.stem(name) == stem


@given(HOSTILE)
def test_any_name_has_a_stem_that_an_output_may_have(name: str) -> None:
    stem = naming.stem(name)

    assert naming.is_output(f"{stem}_1.webp")
    assert not set(stem) & set("{}")
    assert 1 <= len(stem.encode()) <= naming.MAX_STEM_BYTES


@pytest.mark.parametrize("name", [".", "..", "...", "a/...", "/", "{.}.jpg"])
def test_a_stem_alone_is_a_name_of_an_output(name: str) -> None:
    assert naming.is_output(naming.stem(name))
