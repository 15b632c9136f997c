"""`./sluice reprocess`: counted by recipe and priced first; begun by --yes, and never twice."""

import json

import pytest

from shared.routes import parse
from shared.testing import FakeCloud
from tests.cli.conftest import Send, Sluice, Work
from tests.unit.pipelines import ONLY_PICTURES


@pytest.fixture
def changed(send: Send, work: Work, cloud: FakeCloud, picture: bytes) -> list[str]:
    """Two pictures and a text, worked before the thumbnails had another size."""
    for name, data in (("a.png", picture), ("b.png", picture), ("c.png", b"no picture")):
        send(name, data)
    work()
    before = cloud.routes.steps["thumbnails"].recipe.recipe_id
    cloud.routes = parse(ONLY_PICTURES.replace("64", "128"))
    return [before, cloud.routes.steps["thumbnails"].recipe.recipe_id]


def test_the_files_are_counted_by_recipe_first(sluice: Sluice, cloud: FakeCloud, changed: list[str]) -> None:
    done = sluice("reprocess", "--where", "step=thumbnails")

    assert (done.code, done.err) == (0, "nothing has begun: --yes begins\n")
    assert done.lines[0] == "3 files have other recipes today"
    assert [line.split() for line in done.lines[2:4]] == [["FILES", "STEP", "WAS", "NOW"], ["3", "thumbnails", *changed]]
    assert done.lines[5].startswith("at least 24 calls, $0.0000")
    assert list(cloud.results.names("index/rerun/")) == []


@pytest.mark.usefixtures("changed")
def test_a_count_is_an_object_for_scripts_or_names(sluice: Sluice) -> None:
    counted = json.loads(sluice("reprocess", "--verdict", "succeeded", "--format", "json").out)

    assert (counted["files"], counted["recipes"][0]["files"]) == (2, 2)
    assert sluice("reprocess", "--verdict", "succeeded", "--format", "name").lines == ["b.png", "a.png"]
    assert sluice("reprocess", "--limit", "1", "--format", "name").lines == ["c.png"]


@pytest.mark.usefixtures("changed")
def test_yes_begins_and_a_second_time_nothing_is_left(sluice: Sluice, cloud: FakeCloud, work: Work) -> None:
    del cloud.uploads.versions["c.png"]
    begun = sluice("reprocess", "--yes", "--format", "json")
    assert begun.code == 1
    assert "3 files have other recipes today" in begun.err
    assert "cannot run again, gone: c.png" in begun.err
    assert [(row["object"], row["state"]) for row in json.loads(begun.out)] == [("b.png", "begun"), ("a.png", "begun")]
    work()

    assert sluice("reprocess", "--verdict", "succeeded").err.endswith("nothing to begin\n")
    assert len(list(cloud.results.names("index/rerun/"))) == 2


@pytest.mark.usefixtures("changed")
def test_a_request_that_was_cut_off_goes_on(sluice: Sluice, cloud: FakeCloud, work: Work) -> None:
    cloud.queue.down.add("images")
    first = sluice("reprocess", "--yes", "--request", "mine", "--format", "json")
    cloud.queue.down.clear()
    second = sluice("reprocess", "--yes", "--request", "mine", "--format", "json")
    work()

    assert [row["state"] for row in json.loads(first.out)] == ["unavailable"] * 3
    assert "--request mine" in first.err
    assert [row["state"] for row in json.loads(second.out)] == ["resumed"] * 3
    assert len(list(cloud.results.names("index/rerun/"))) == 3
    assert "nothing to begin" in sluice("reprocess").err


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("step=previews", "pipeline.toml has no step 'previews'; it has thumbnails"),
        ("verdict=failed", "--where has no verdict; give --verdict"),
        ("colour=red", "--where takes step=NAME, content_type=TYPE or metadata.KEY=VALUE, not colour=red"),
        ("content_type", "--where takes step=NAME"),
    ],
)
def test_a_wrong_condition_says_what_is_right(sluice: Sluice, condition: str, why: str) -> None:
    done = sluice("reprocess", "--where", condition)

    assert done.code == 2
    assert why in done.err


@pytest.mark.usefixtures("changed")
def test_a_condition_on_the_file_is_kept_to(sluice: Sluice) -> None:
    names = [
        sluice("reprocess", "--where", where, "--format", "name").lines for where in ("content_type=image/*", "metadata.a=b")
    ]

    assert [len(found) for found in names] == [3, 0]
