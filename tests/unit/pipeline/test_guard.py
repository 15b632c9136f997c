"""The runaway guard in the pipeline: the files that it skips, its reads, and that no file gets a second verdict."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from shared import extraction, guard, index, pipeline
from shared.errors import Unavailable
from shared.guard import FILES, KEPT_SECONDS, LIFTED, MOST_HOPS, Guard
from shared.intake import Incoming
from shared.model import File, Run
from shared.operations.rerun import rerun
from shared.testing import FakeCloud
from tests.unit.pipeline.calls import Counted, Uploaded, bytes_by_id, deliver_all, manifests, message, only_task
from tests.unit.pipeline.conftest import Enlist
from tests.unit.plans import Script, join

HOPS = extraction.HOPS
Mark = Callable[..., None]


@pytest.fixture
def mark(cloud: FakeCloud) -> Mark:
    """Set this mark on the day of a file, in the sight of the pipeline."""

    def put(file: File, key: str) -> None:
        cloud.results.create(f"{guard.folder(guard.day_of(file.generation))}{key}", "application/json", b"{}")
        cloud.guard = Guard(cloud.results)

    return put


def verdicts(cloud: FakeCloud) -> list[tuple[str, str]]:
    return [(body["verdict"], body["reason"]) for body in manifests(cloud)]


@pytest.mark.parametrize(("hops", "is_skipped"), [(MOST_HOPS, False), (MOST_HOPS + 1, True), (10**9, True)])
def test_a_file_that_came_out_of_too_many_others_is_skipped(
    cloud: FakeCloud, uploaded: Uploaded, picture: bytes, hops: int, is_skipped: bool
) -> None:
    pipeline.dispatch(message(uploaded("cat.png", picture, metadata={HOPS: str(hops)})), cloud)

    assert verdicts(cloud) == ([("skipped", "guard")] if is_skipped else [])
    assert bool(cloud.queue.added) != is_skipped


def test_an_output_has_a_hop_more_than_its_file(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    pipeline.dispatch(message(uploaded("cat.png", picture, metadata={HOPS: "2", "own": "word"})), cloud)
    deliver_all(cloud)

    assert [cloud.results.find(name).metadata for name in cloud.results.names("files/")] == [{HOPS: "3"}]  # type: ignore[union-attr]


def test_results_that_are_copied_back_are_skipped_after_eight_hops(
    cloud: FakeCloud, uploaded: Uploaded, picture: bytes
) -> None:
    """A copy within Cloud Storage keeps custom metadata."""
    pipeline.dispatch(message(uploaded("0.png", picture)), cloud)
    for number in range(1, 20):
        deliver_all(cloud)
        made = cloud.results.find(
            max(cloud.results.names("files/"), key=lambda name: int(name.split("/")[1].partition(".")[0]))
        )
        assert made
        copy = uploaded(f"{number}.png", cloud.results.read(made.name) or b"", made.content_type, made.metadata)
        pipeline.dispatch(message(copy), cloud)

    verdict = [entry.split("/")[1] for entry in cloud.results.names("index/")]
    assert (verdict.count("succeeded"), verdict.count("skipped")) == (MOST_HOPS + 1, 19 - MOST_HOPS)


def test_a_mark_skips_the_uploads_of_its_day(cloud: FakeCloud, uploaded: Uploaded, picture: bytes, mark: Mark) -> None:
    file = uploaded("cat.png", picture)
    mark(file, FILES)
    pipeline.dispatch(message(replace(file, generation=file.generation - guard.GENERATIONS_PER_DAY)), cloud)
    assert len(cloud.queue.added) == 1
    pipeline.dispatch(message(file), cloud)

    assert verdicts(cloud) == [("skipped", "guard")]
    assert [notice.attributes["verdict"] for notice in cloud.completions.notices] == ["skipped"]
    assert index.has_entry(cloud.results, Run(file))


def test_a_mark_of_an_object_skips_no_other(cloud: FakeCloud, uploaded: Uploaded, picture: bytes, mark: Mark) -> None:
    cat, dog = uploaded("cat.png", picture), uploaded("dog.png", picture)
    mark(cat, cat.file_id)
    for file in (cat, dog):
        pipeline.dispatch(message(file), cloud)

    assert only_task(cloud).file == dog
    assert verdicts(cloud) == [("skipped", "guard")]
    assert manifests(cloud)[0]["message"].startswith("the object was uploaded more often on its day")


@pytest.mark.parametrize("key", [FILES, "its id"])
def test_a_lifted_mark_skips_nothing(cloud: FakeCloud, uploaded: Uploaded, picture: bytes, mark: Mark, key: str) -> None:
    file = uploaded("cat.png", picture)
    key = file.file_id if key == "its id" else key
    mark(file, key)
    mark(file, key + LIFTED)
    pipeline.dispatch(message(file), cloud)

    assert only_task(cloud).file == file


def test_what_was_skipped_runs_again_when_asked_for(cloud: FakeCloud, uploaded: Uploaded, picture: bytes, mark: Mark) -> None:
    file = uploaded("cat.png", picture, metadata={HOPS: "99"})
    mark(file, FILES)
    pipeline.dispatch(message(file), cloud)
    assert verdicts(cloud) == [("skipped", "guard")]
    rerun(Run(file), cloud.routes.plan(file), "request", cloud)
    deliver_all(cloud)

    assert index.find_entry(cloud.results, Run(file, 1)).verdict == "succeeded"  # type: ignore[union-attr]


def test_the_marks_are_read_once_a_minute(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    time = 0.0
    results = Counted(cloud.results)
    cloud.guard = Guard(results, lambda: time)
    for number, time in enumerate((0.0, 1.0, KEPT_SECONDS - 1.0, KEPT_SECONDS + 0.0, KEPT_SECONDS + 1.0)):  # noqa: B007
        pipeline.dispatch(message(uploaded(f"{number}.png", picture)), cloud)
        deliver_all(cloud)

    assert results.calls == ["names", "names"]


def test_a_new_mark_is_seen_within_a_minute(cloud: FakeCloud, uploaded: Uploaded, picture: bytes, mark: Mark) -> None:
    time = 0.0
    guarding = Guard(cloud.results, lambda: time)
    file = uploaded("cat.png", picture)
    assert not guarding.refusal(Run(file))
    mark(file, FILES)
    assert not guarding.refusal(Run(file))
    time = float(KEPT_SECONDS)

    assert guarding.refusal(Run(file))


def test_an_outage_has_the_message_delivered_again(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    file = uploaded("cat.png", picture)
    cloud.results.broken.add("names guard")

    with pytest.raises(Unavailable):
        pipeline.dispatch(message(file), cloud)
    assert cloud.queue.added == {}
    cloud.results.broken.clear()
    pipeline.dispatch(message(file), cloud)
    assert only_task(cloud).file == file


def test_while_marks_are_read_again_others_take_those_of_before(cloud: FakeCloud, uploaded: Uploaded, mark: Mark) -> None:
    time = 0.0
    guarding = Guard(cloud.results, lambda: time)
    file = uploaded("cat.png", b"meow")
    mark(file, FILES)
    assert guarding.refusal(Run(file))
    cloud.results.broken.add("names guard")
    time = float(KEPT_SECONDS)
    with pytest.raises(Unavailable):
        guarding.refusal(Run(file))

    assert guarding.refusal(Run(file))


def test_the_upload_service_reads_no_marks(cloud: FakeCloud, picture: bytes) -> None:
    """It has no right to read results."""
    cloud.results.broken = {"names", "read", "find", "create"}
    pipeline.receive(Incoming("cat.png", "image/png", iter([picture])), cloud)

    assert len(cloud.queue.added) == 1


def test_a_task_that_was_queued_before_the_mark_is_not_worked(
    cloud: FakeCloud, uploaded: Uploaded, picture: bytes, mark: Mark
) -> None:
    """It was queued by the upload service, or by a delivery of the message before the mark."""
    file = uploaded("cat.png", picture)
    pipeline.dispatch(message(file), cloud)
    mark(file, FILES)
    pipeline.dispatch(message(file), cloud)
    cloud.uploads.broken.add("download")
    pipeline.process(only_task(cloud), 1, cloud)

    assert verdicts(cloud) == [("skipped", "guard")]
    assert len(bytes_by_id(cloud)) == 1
    assert [name.split("/")[1] for name in cloud.results.names("index/")] == ["skipped"]


def test_a_task_that_was_queued_after_the_mark_was_lifted_is_not_worked(
    cloud: FakeCloud, uploaded: Uploaded, picture: bytes, mark: Mark
) -> None:
    file = uploaded("cat.png", picture)
    mark(file, file.file_id)
    pipeline.dispatch(message(file), cloud)
    mark(file, file.file_id + LIFTED)
    pipeline.dispatch(message(file), cloud)
    cloud.uploads.broken.add("download")
    pipeline.process(only_task(cloud), 1, cloud)

    assert verdicts(cloud) == [("skipped", "guard")]


def test_a_file_that_ended_before_the_mark_keeps_its_verdict(
    cloud: FakeCloud, uploaded: Uploaded, picture: bytes, mark: Mark
) -> None:
    file = uploaded("cat.png", picture)
    pipeline.dispatch(message(file), cloud)
    deliver_all(cloud)
    mark(file, FILES)
    pipeline.dispatch(message(file), cloud)

    assert [name.split("/")[1] for name in cloud.results.names("index/")] == ["succeeded"]
    assert len(manifests(cloud)) == 1


def test_a_plan_that_stands_goes_on_under_a_mark(
    cloud: FakeCloud, cat: File, enlist: Enlist, mark: Mark, script: Script
) -> None:
    enlist(join())
    mark(cat, FILES)
    enlist(join())
    deliver_all(cloud)

    assert [name.split("/")[1] for name in cloud.results.names("index/")] == ["succeeded"]
