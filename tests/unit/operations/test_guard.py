"""The runaway guard in a sweep: what it counts, what it does once, and how it is lifted."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from shared import index, ledger, log, manifest
from shared.errors import NotFound, Unavailable
from shared.guard import FILES, GENERATIONS_PER_DAY, LIFTED
from shared.index import VERDICTS
from shared.model import File, Run, Verdict, file_id
from shared.operations import guard
from shared.operations.guard import EVERY
from shared.operations.sweep import sweep
from shared.operations.sweep_report import Report
from shared.routes import parse
from shared.sweep_part import UPLOADS, Part
from shared.testing import FakeBucket, FakeCloud
from tests.unit.pipeline.calls import Counted
from tests.unit.pipelines import ONLY_PICTURES, QUEUE

#: The fake bucket's generations: 14 November 2023, 22:13:20 UTC, on day 19,675 since 1970.
UPLOADED, DAY = 1_700_000_000, 19_675
#: A few seconds later: long before a sweep looks at what has not ended.
NOW = UPLOADED + 5
FILES_MARK = f"guard/{DAY}/files"
TIME = "2023-11-14T22:13:21.000Z"
End = Callable[..., list[Run]]


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """The alerts of the guard."""
    found: list[dict[str, Any]] = []
    with log.sent_to(lambda line: found.append(line) if line.get("event") == "guard" else None):
        yield found


@pytest.fixture
def end(cloud: FakeCloud, uploaded: Callable[..., File]) -> End:
    """Upload an object so many times, and end each of these jobs."""

    def ended(name: str, times: int, verdict: Verdict = "succeeded", runs: int = 1, days: int = 0) -> list[Run]:
        uploads = [uploaded(name, b"meow") for _ in range(times)]
        files = [replace(file, generation=file.generation + days * GENERATIONS_PER_DAY) for file in uploads]
        made = [Run(file, number) for file in files for number in range(runs)]
        for run in made:
            body = manifest.of_no_task(run, verdict, "", "", TIME)
            ledger.commit(cloud.results, ledger.job_name(run), body)
            index.write(cloud.results, manifest.Job([body]))
        return made

    return ended


@pytest.fixture
def cloud(cloud: FakeCloud) -> FakeCloud:
    ceilings = {"guard_files_per_day": 20, "guard_runs_per_object": 5}
    cloud.settings = replace(cloud.settings, **ceilings)  # type: ignore[arg-type]
    cloud.routes = parse(ONLY_PICTURES + QUEUE.replace("images", "another"))
    return cloud


def swept(cloud: FakeCloud, began: int = NOW) -> Report:
    return sweep(Part(began), cloud, lambda: True)


def marks(cloud: FakeCloud) -> list[str]:
    return list(cloud.results.names("guard/"))


def test_what_stays_within_the_ceilings_is_left(cloud: FakeCloud, end: End, lines: list[Any]) -> None:
    for number in range(4):
        end(f"{number}.jpg", 5, VERDICTS[number])

    assert (swept(cloud).guarded, marks(cloud), lines, cloud.queue.paused) == ([], [], [], set())


def test_an_object_beyond_its_ceiling_is_marked_and_its_queues_are_paused(
    cloud: FakeCloud, end: End, lines: list[dict[str, Any]]
) -> None:
    end("cat.jpg", 6)
    end("dog.jpg", 5)
    report = swept(cloud)

    assert (report.guarded, report.to_json()["guarded"]) == (["cat.jpg"], ["cat.jpg"])
    assert marks(cloud) == [f"guard/{DAY}/{file_id('uploads', 'cat.jpg')}"]
    assert cloud.queue.paused == {"images"} < set(cloud.routes.queues)
    (line,) = lines
    assert (line["severity"], line["message"]) == ("ERROR", "runaway guard: files are skipped")
    assert (line["object"], line["count"], line["ceiling"], line["paused"]) == ("cat.jpg", 6, 5, ["images"])


def test_a_day_beyond_its_ceiling_is_marked_and_every_queue_is_paused(
    cloud: FakeCloud, end: End, lines: list[dict[str, Any]]
) -> None:
    for number in range(21):
        end(f"{number}.jpg", 1)
    report = swept(cloud)

    assert (report.guarded, marks(cloud), cloud.queue.paused) == ([EVERY], [FILES_MARK], set(cloud.routes.queues))
    assert [(line["object"], line["count"], line["ceiling"]) for line in lines] == [(EVERY, 21, 20)]


def test_runs_of_every_verdict_count_together(cloud: FakeCloud, end: End) -> None:
    for verdict in VERDICTS[:6]:
        end("cat.jpg", 1, verdict)

    assert swept(cloud).guarded == ["cat.jpg"]


def test_later_runs_count_for_their_object_and_not_as_files(cloud: FakeCloud, end: End) -> None:
    for name in ("cat.jpg", "dog.jpg", "owl.jpg"):
        end(name, 4, runs=2)

    assert sorted(swept(cloud).guarded) == ["cat.jpg", "dog.jpg", "owl.jpg"]


@pytest.mark.parametrize(("days", "is_beyond"), [(-1, False), (0, True)])
def test_uploads_of_another_day_do_not_count(cloud: FakeCloud, end: End, days: int, is_beyond: bool) -> None:
    end("cat.jpg", 3)
    end("cat.jpg", 3, days=days)
    for number in range(11):
        end(f"{number}.jpg", 1)
        end(f"other {number}.jpg", 1, days=days)

    assert sorted(swept(cloud).guarded) == ([EVERY, "cat.jpg"] if is_beyond else [])


def test_a_day_begins_at_midnight(cloud: FakeCloud, end: End) -> None:
    midnight = (DAY + 1) * 24 * 3600
    end("cat.jpg", 6)

    assert swept(cloud, midnight).guarded == []
    assert swept(cloud, midnight - 1).guarded == ["cat.jpg"]


def test_objects_that_share_a_counter_are_told_apart(cloud: FakeCloud, end: End, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "COUNTERS", 1)
    for name in ("cat.jpg", "dog.jpg"):
        end(name, 4)
    assert swept(cloud).guarded == []
    end("cat.jpg", 1)
    end("dog.jpg", 2)

    assert swept(cloud).guarded == ["dog.jpg"]


def test_the_index_is_read_again_only_for_a_suspect(cloud: FakeCloud, end: End) -> None:
    end("cat.jpg", 5)
    cloud.results = Counted(cloud.results)  # type: ignore[assignment]
    swept(cloud)
    healthy = list(cloud.results.calls)  # type: ignore[attr-defined]

    assert healthy.count("names") == len(VERDICTS)


def test_it_acts_once_so_that_resumed_queues_stay_so(cloud: FakeCloud, end: End, lines: list[Any]) -> None:
    end("cat.jpg", 21)
    swept(cloud)
    assert cloud.queue.paused
    cloud.queue.paused.clear()
    end("cat.jpg", 5)

    assert (swept(cloud).guarded, cloud.queue.paused, len(lines)) == ([], set(), 2)
    guard.lift([], cloud)
    assert (swept(cloud).guarded, cloud.queue.paused, len(lines)) == ([], set(), 2)


def test_a_sweep_that_was_cut_off_before_the_mark_is_repeated(cloud: FakeCloud, end: End, lines: list[Any]) -> None:
    end("cat.jpg", 6)
    cloud.results.broken.add("create guard")
    cut_off = swept(cloud)
    cloud.results.broken.clear()

    assert (cut_off.guarded, marks(cloud), cloud.queue.paused) == ([], [], {"images"})
    assert (swept(cloud).guarded, len(lines)) == (["cat.jpg"], 2)


def test_a_queue_that_cannot_be_paused_keeps_nothing_from_being_skipped(
    cloud: FakeCloud, end: End, lines: list[dict[str, Any]]
) -> None:
    end("cat.jpg", 6)
    cloud.queue.down.add("images")

    assert swept(cloud).guarded == ["cat.jpg"]
    assert (len(marks(cloud)), lines[0]["paused"]) == (1, [])


def test_an_object_whose_manifests_were_deleted_goes_by_its_id(cloud: FakeCloud, end: End) -> None:
    end("cat.jpg", 6)
    for name in list(cloud.results.names("jobs/")):
        del cloud.results.versions[name]

    assert swept(cloud).guarded == [file_id("uploads", "cat.jpg")]
    assert cloud.queue.paused == set(cloud.routes.queues)


def test_a_damaged_manifest_does_not_keep_the_sweep_from_its_work(cloud: FakeCloud, end: End) -> None:
    end("cat.jpg", 6)
    for name in list(cloud.results.names("jobs/")):
        cloud.results.put(name, b"{")
    report = swept(cloud)

    assert (report.guarded, report.uploads, report.rest) == ([], 1, None)


def test_only_the_first_part_of_a_sweep_counts(cloud: FakeCloud, end: End) -> None:
    end("cat.jpg", 6)

    assert sweep(Part(NOW, 1, UPLOADS), cloud, lambda: True).guarded == []


def test_a_mark_that_cannot_be_read_is_an_outage(cloud: FakeCloud, end: End) -> None:
    end("cat.jpg", 6)
    swept(cloud)
    cloud.results.hidden_once |= set(marks(cloud))

    with pytest.raises(Unavailable, match="is listed but cannot be read; retry"):
        guard.marks(cloud)


def test_two_sweeps_at_once_set_one_mark(cloud: FakeCloud, end: End) -> None:
    end("cat.jpg", 6)
    mark = guard.Mark(DAY, file_id("uploads", "cat.jpg"), "", 6, 5)

    assert [guard._set(mark, cloud) for _ in range(2)] == ["cat.jpg", "cat.jpg"]
    assert marks(cloud) == [mark.name]


class Overtaken(FakeBucket):
    """A bucket in which another operator lifts a mark after it was listed."""

    def names(self, prefix: str, start: str = "", end: str = "") -> Iterator[str]:
        return (name for name in super().names(prefix, start, end) if not name.endswith(LIFTED))


def test_two_operators_lift_a_mark_at_once(cloud: FakeCloud, end: End) -> None:
    end("cat.jpg", 6)
    swept(cloud)
    cloud.results = Overtaken("results", cloud.results.versions)

    assert [[mark.object for mark in guard.lift([], cloud)] for _ in range(2)] == [["cat.jpg"], ["cat.jpg"]]


def test_the_marks_of_the_newest_day_are_listed_first(cloud: FakeCloud) -> None:
    for day in (DAY, DAY + 1):
        guard._set(guard.Mark(day, FILES, EVERY, 21, 20), cloud)

    assert [mark.day for mark in guard.marks(cloud)] == [DAY + 1, DAY]


def test_marks_are_listed_and_lifted_by_object(cloud: FakeCloud, end: End) -> None:
    for name in ("cat.jpg", "dog.jpg"):
        end(name, 11)
    swept(cloud)
    with pytest.raises(NotFound, match="does not skip"):
        guard.lift(["cat.jpg", "owl.jpg"], cloud)
    assert [mark.is_lifted for mark in guard.marks(cloud)] == [False] * 3
    lifted = guard.lift(["cat.jpg"], cloud)

    assert [(mark.object, mark.count, mark.ceiling, mark.is_lifted) for mark in lifted] == [("cat.jpg", 11, 5, True)]
    found = {mark.object: mark.is_lifted for mark in guard.marks(cloud)}
    assert found == {EVERY: False, "cat.jpg": True, "dog.jpg": False}
    assert [mark.object for mark in guard.lift([], cloud)] == [EVERY, "dog.jpg"]
    assert guard.lift([], cloud) == []
    assert sum(name.endswith(LIFTED) for name in marks(cloud)) == 3
    assert json.loads(json.dumps(guard.marks(cloud)[0].to_json()))["day"] == "2023-11-14"
