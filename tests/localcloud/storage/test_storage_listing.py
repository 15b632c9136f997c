"""Lists: prefixes, delimiters, pages, globs."""

import base64
import re
import time
from bisect import bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.storage.model import Object
from localcloud.storage.rules.globs import Glob
from localcloud.storage.rules.listing import Cursor, Page, Query, decode_token, list_page
from tests.localcloud.storage.world import World

NAMES = ["a", "a/", "a/1", "a/2", "a/b/1", "a/b/2", "a0", "b/1", "é"]


def some_object(name: str) -> Object:
    return Object("bucket", name, 1, 1, 0, 0, None, "", 0, "", None, None, {})


def pages(names: list[str], prefix: str, delimiter: str, limit: int) -> list[Page]:
    """All pages, one after the other."""
    stored = [some_object(name) for name in sorted(set(names), key=str.encode)]

    def read(cursor: Cursor, count: int) -> list[Object]:
        return [found for found in stored if (found.name, found.generation) > cursor][:count]

    found = [list_page(Query(prefix, delimiter, limit=limit, cursor=(prefix, -1)), read)]
    while found[-1].token:
        cursor = decode_token(found[-1].token)
        found.append(list_page(Query(prefix, delimiter, limit=limit, cursor=cursor), read))
    return found


def test_a_delimiter_makes_folders(world: World, bucket: str) -> None:
    for name in NAMES:
        world.upload(bucket, name)

    shown = world.listed(bucket, "?prefix=a/&delimiter=/")

    assert [item["name"] for item in shown["items"]] == ["a/", "a/1", "a/2"]
    assert shown["prefixes"] == ["a/b/"]
    assert world.names(bucket) == NAMES
    assert world.names(bucket, "?startOffset=a/2&endOffset=b") == ["a/2", "a/b/1", "a/b/2", "a0"]
    assert world.names(bucket, "?matchGlob=**/1") == ["a/1", "a/b/1", "b/1"]
    assert world.names(bucket, "?matchGlob=**/a") == ["a"]
    assert world.names(bucket, "?delimiter=/&includeTrailingDelimiter=True") == ["a", "a/", "a0", "é"]


@given(st.lists(st.text("ab/é\U0010ffff", min_size=1, max_size=5)), st.sampled_from(["", "a", "a/"]), st.integers(1, 4))
def test_pages_together_are_the_whole_list(names: list[str], prefix: str, limit: int) -> None:
    found = pages(names, prefix, "/", limit)
    mine = sorted({name for name in names if name.startswith(prefix)}, key=str.encode)
    folders = sorted({prefix + rest[: rest.index("/") + 1] for n in mine if "/" in (rest := n[len(prefix) :])}, key=str.encode)

    assert [item.name for page in found for item in page.items] == [n for n in mine if "/" not in n[len(prefix) :]]
    assert [folder for page in found for folder in page.prefixes] == folders
    assert all(len(page.items) + len(page.prefixes) == limit for page in found[:-1])


@pytest.mark.parametrize(("folders", "objects"), [(500, 2), (20, 1000)], ids=["small folders", "large folders"])
def test_folders_cost_few_rows(folders: int, objects: int) -> None:
    stored = [some_object(f"{folder:03}/{number:04}") for folder in range(folders) for number in range(objects)]
    rows = 0

    def read(cursor: Cursor, count: int) -> list[Object]:
        nonlocal rows
        begin = bisect_right(stored, cursor, key=lambda found: (found.name, found.generation))
        rows += len(stored[begin : begin + count])
        return stored[begin : begin + count]

    assert len(list_page(Query(delimiter="/"), read).prefixes) == folders
    assert rows <= 30 * folders


@pytest.mark.parametrize(
    ("glob", "name", "matches"),
    [
        ("*.txt", "a.txt", True),
        ("*.txt", "a/b.txt", False),
        ("**.txt", "a/b.txt", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[a-c]x", "bx", True),
        ("[!a-c]x", "bx", False),
        ("*.{jpg,png}", "x.png", True),
        ("*.{jpg,png}", "x.gif", False),
        ("a+b", "a+b", True),
        ("**/x", "x", True),
        ("**/x", "a/b/x", True),
        ("**/x", "ax", False),
        ("a/**/x", "a/x", True),
        ("a**/x", "a/x", True),
        ("a**/x", "ax", False),
        ("{**/x,y}", "x", True),
        ("**/*.{jpg,png}", "a.png", True),
    ],
)
def test_globs_match_like_google_s(glob: str, name: str, matches: bool) -> None:
    assert Glob(glob).matches(name) is matches


@given(
    st.lists(st.sampled_from(["a", "b", "/", "*", "**", "**/", "?", "[ab]", "[!a]", "\\*"]), max_size=6),
    st.text("ab/*", max_size=6),
)
def test_a_glob_without_braces_matches_as_its_expression(parts: list[str], name: str) -> None:
    glob = "".join(parts)
    folders = re.sub(r"(?<![^/])\*\*/", "\0", glob)
    single = {"\0": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "[ab]": "[ab]", "[!a]": "[^a]"}
    expression = re.sub(
        r"\0|\*\*|\*|\?|\[!?\w+\]|\\.|.", lambda part: single.get(part[0]) or re.escape(part[0][-1]), folders, flags=re.DOTALL
    )

    assert Glob(glob).matches(name) is bool(re.fullmatch(expression, name, re.DOTALL))


@pytest.mark.parametrize(
    "glob", ["*a" * 12 + "b", "**a" * 12 + "b", "{a,aa}" * 30 + "b", "{*a,a*}" * 10 + "b", "*" * 500 + "b"]
)
def test_no_glob_takes_long(glob: str) -> None:
    begun = time.process_time()

    assert not Glob(glob).matches("a" * 1000)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("glob", ["{", "}", "{a,b", "a}", "[z-a]", "[!]", "a" * 1025])
def test_a_malformed_glob_is_refused(world: World, bucket: str, glob: str) -> None:
    assert world.http.get(f"{world.url}/storage/v1/b/{bucket}/o", params={"matchGlob": glob}).status_code == 400


@pytest.mark.parametrize("cursor", ['["a", 1e999]', f'["a", {2**63}]', '["a", -2]', '["a", true]', '["a", "1"]'])
def test_a_page_token_of_no_page_is_refused(world: World, bucket: str, cursor: str) -> None:
    token = base64.urlsafe_b64encode(cursor.encode()).decode()

    for url in (
        f"/storage/v1/b/{bucket}/o?pageToken=",
        "/storage/v1/b?pageToken=",
        f"/{bucket}?list-type=2&continuation-token=",
    ):
        assert world.http.get(f"{world.url}{url}{token}").status_code == 400


def test_the_first_page_of_a_folder_may_end_with_the_folder_s_own_object(world: World, bucket: str) -> None:
    for name in ("f/", "f/1", "f/2/x", "f/3"):
        world.upload(bucket, name)
    seen, marker = [], ""
    while True:
        page = world.http.get(f"{world.url}/{bucket}?prefix=f/&delimiter=/&max-keys=1&marker={marker}").text
        seen += re.findall("<Key>(.*?)</Key>|<CommonPrefixes><Prefix>(.*?)</Prefix>", page)
        if "<IsTruncated>false" in page:
            break
        marker = re.findall("<NextMarker>(.*?)</NextMarker>", page)[0]

    assert seen == [("f/", ""), ("f/1", ""), ("", "f/2/"), ("f/3", "")]
