"""`./sluice backfill`: counts and prices first, begins with --yes, is listed, stopped and resumed."""

import json
import time
from itertools import count

import pytest

from cli.backfills import BACKFILLS
from shared.testing import FakeCloud
from tests.cli.conftest import Sluice, Work
from tests.unit.operations.backfilling import deliver_page
from tests.unit.pipeline.calls import Counted, Uploaded


@pytest.fixture
def old(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    """Three files, one empty file and a folder marker from before, one under another prefix, and a new one."""
    for name in ("old/1.png", "old/2.png", "old/3.png", "other.png"):
        uploaded(name, picture)
    uploaded("old/empty.png", b"")
    uploaded("old/", b"")
    cloud.uploads._generations = count(time.time_ns() // 1000)
    uploaded("old/new.png", picture)


@pytest.mark.usefixtures("old")
def test_the_files_are_counted_and_priced_first(sluice: Sluice, cloud: FakeCloud, picture: bytes) -> None:
    done = sluice("backfill", "old/")

    assert (done.code, done.err) == (0, "nothing has begun: --yes begins\n")
    assert done.lines[0] == "6 objects: 0 have ended, 1 are new, 1 are no files, 4 have not run or are in work"
    assert [line.split() for line in done.lines[2:5]] == [
        ["FILES", "BYTES", "LIST", "PRICE", "$", "STEPS"],
        ["3", f"{3 * len(picture)}", "0.000035", "thumbnails"],
        ["1", "0", "0.000005", "none:", "empty"],
    ]
    assert done.lines[6].startswith("at least 34 calls, $0.000052 at list")
    assert done.lines[6].endswith(" at list prices, outputs and CPU time not counted; at least 0:00:01 at the queues' rates")
    assert list(cloud.results.names("")) == []
    assert cloud.queue.pages == {}


@pytest.mark.usefixtures("old")
def test_a_count_is_an_object_for_scripts_or_names(sluice: Sluice) -> None:
    counted = json.loads(sluice("backfill", "old/", "--format", "json").out)
    names = sluice("backfill", "begin", "gs://uploads/old/", "--format", "name", "--limit", "2")

    assert (counted["open"], counted["ignored"], counted["groups"][0]["files"]) == (4, 1, 3)
    assert names.lines == ["old/1.png", "old/2.png"]
    assert counted["ended"] == 0
    assert sluice("backfill", "old/n").err == "nothing to begin: new files are left to their notifications\n"


def test_a_count_of_five_thousand_costs_lists_only(sluice: Sluice, cloud: FakeCloud, uploaded: Uploaded) -> None:
    for number in range(5000):
        uploaded(f"{number:04}.png", b"no picture")
    cloud.results, cloud.uploads = Counted(cloud.results), Counted(cloud.uploads)  # type: ignore[assignment]
    done = sluice("backfill", "--all", "--format", "json")

    assert json.loads(done.out)["open"] == 5000
    assert cloud.uploads.calls == ["objects"] * 12  # type: ignore[attr-defined]
    assert cloud.results.calls == ["names"] * 7  # type: ignore[attr-defined]


@pytest.mark.usefixtures("old")
def test_yes_begins_and_the_list_follows_it(sluice: Sluice, cloud: FakeCloud, work: Work) -> None:
    begun = sluice("backfill", "old/", "--yes", "--limit", "3", "--format", "name")
    (identity,) = begun.lines
    assert (begun.code, begun.err) == (0, f"follow it: ./sluice backfill ls; stop it: ./sluice backfill stop {identity}\n")

    states = []
    for act in (
        lambda: None,
        lambda: deliver_page(cloud),
        lambda: sluice("backfill", "resume", identity),
        lambda: deliver_page(cloud),
    ):
        act()
        work()
        (row,) = json.loads(sluice("backfill", "ls", "--format", "json").out)
        states.append((row["state"], row["files"], row["queued"]))

    assert states == [("running", 0, 0), ("limit", 4, 3), ("running", 4, 3), ("done", 6, 3)]
    assert json.loads(sluice("backfill", "old/", "--format", "json").out)["ended"] == 4


@pytest.mark.usefixtures("old")
def test_the_list_names_the_queues_that_it_waits_for(sluice: Sluice, cloud: FakeCloud) -> None:
    cloud.queue.pause("images")
    sluice("backfill", "old/1", "--yes")
    deliver_page(cloud)

    header, line = sluice("backfill", "ls").lines
    counted = "LOOKED AT ENDED QUEUED IN WORK NEW, NO FILE LEFT BEHIND"
    assert " ".join(header.split()) == f"BACKFILL BEGAN PREFIX {counted} UPDATED STATE AFTER"
    assert "waits for images (paused)" in line
    stopped = sluice("backfill", "stop", line.split()[0], "--format", "json")
    assert (stopped.code, json.loads(stopped.out)[0]["state"]) == (0, "stopped")


def test_a_file_whose_task_was_lost_on_the_same_day_is_left_behind(
    sluice: Sluice, cloud: FakeCloud, uploaded: Uploaded, picture: bytes
) -> None:
    """The queue refuses the name of the day, so that only another backfill on a later day queues it."""
    uploaded("old/1.png", picture)
    for _ in range(2):
        sluice("backfill", "old/", "--yes")
        deliver_page(cloud)
        for task in cloud.queue.added.values():
            cloud.queue.delete(task)

    header, *lines = sluice("backfill", "ls").lines
    queued, in_work, left_behind = (header.index(title) for title in ("QUEUED", "IN WORK", "LEFT BEHIND"))
    counts = [(line[queued:].split()[0], line[in_work:].split()[0], line[left_behind:].split()[0]) for line in lines]
    assert sorted(counts) == [("0", "0", "1"), ("1", "0", "0")]


def test_all_that_needs_another_backfill_is_left_behind() -> None:
    (column,) = (column for column in BACKFILLS if column.title == "LEFT BEHIND")

    assert column.text({"unavailable": 1, "recent": 20, "paused": 300, "waiting": 4000}) == "321"


def test_an_unknown_backfill_is_not_found_and_one_that_is_done_cannot_go_on(sluice: Sluice, cloud: FakeCloud) -> None:
    (identity,) = sluice("backfill", "--all", "--yes", "--format", "name").lines
    deliver_page(cloud)

    assert (sluice("backfill", "stop", "mine").code, sluice("backfill", "resume", identity).code) == (3, 1)
    assert sluice("backfill", "resume", identity).err.startswith(f"error: backfill {identity} is done; begin another one")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "name a prefix, or give --all"),
        (("old/", "--all"), "name a prefix, or give --all"),
        (("gs://results/files",), "the uploads bucket is gs://uploads"),
        (("gs://uploads",), "name a prefix, or give --all"),
        (("gs://uploads/",), "name a prefix, or give --all"),
        (("old/", "--limit", "0"), "0 is not in the range"),
    ],
)
def test_the_whole_bucket_must_be_asked_for(sluice: Sluice, cloud: FakeCloud, arguments: tuple[str, ...], why: str) -> None:
    done = sluice("backfill", "begin", *arguments)

    assert (done.code, cloud.queue.pages) == (2, {})
    assert why in done.err


def test_no_backfill_is_no_failure(sluice: Sluice) -> None:
    done = sluice("backfill", "ls")

    assert (done.code, done.out, done.err) == (0, "", "no backfills found\n")
    assert sluice("backfill").out.startswith("Usage: ./sluice backfill") or sluice("backfill").code == 2
