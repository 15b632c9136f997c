"""Extraction by a delivery: uploads, marks, depth, batches that go on, and what a child's answer may not do."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from shared import delivery, extraction, processors
from shared.errors import Unavailable
from shared.ledger import Manifests
from shared.model import File, Result, Run, recipe
from shared.plan import Plan, PlannedStep
from shared.processors import Draft
from shared.processors.archive_options import Extract
from shared.processors.registry import Processor, registered
from shared.testing import FakeBucket, FakeCloud
from tests.unit.archive.archives import encrypted, zipped
from tests.unit.plans import task

Uploaded = Callable[..., File]
THREE = {"a/cat.txt": b"meow", "dog.txt": b"woof!", "../bird": b"tweet"}


def extracting(*, copy_metadata: bool = False, cache_control: str = "", **options: Any) -> PlannedStep:
    processor = processors.find("archive.extract")
    made = recipe(
        "extract",
        processor.name,
        processor.version,
        processor.check(options),
        copy_metadata=copy_metadata,
        cache_control=cache_control,
    )
    return PlannedStep(made, "q1", 3, limits=processor.limits)


def deliver(file: File, cloud: FakeCloud, number: int = 1, run: int = 0, step: PlannedStep | None = None) -> Result:
    work = task(Plan((step or extracting(),)), file=file, run=run)
    (result,) = delivery.run(work, number, cloud, Manifests(cloud.results, Run(file, run), work.plan))
    return result


def extracted(cloud: FakeCloud, job_id: str = "") -> dict[str, bytes]:
    """The extracted files by their names below the folder of the job."""
    prefix = f"extracted/{job_id}/" if job_id else "extracted/"
    return {name.removeprefix(prefix): cloud.uploads.read(name) or b"" for name in cloud.uploads.names(prefix)}


def test_members_become_uploads_and_are_listed(cloud: FakeCloud, uploaded: Uploaded) -> None:
    file = uploaded("pets.zip", zipped(THREE), "application/zip")
    job_id = Run(file).job_id

    result = deliver(file, cloud)

    assert extracted(cloud, job_id) == {"1/cat.txt": b"meow", "2/dog.txt": b"woof!"}
    assert (result.verdict, result.outputs) == ("succeeded", ())
    assert result.facts == {
        "format": "zip",
        "members": 3,
        "unpacked_bytes": 14,
        "extracted": 2,
        "refused": 1,
        "folder": f"extracted/{job_id}/",
        "listed": [
            {"number": 1, "path": "a/cat.txt", "size": 4, "object": f"extracted/{job_id}/1/cat.txt"},
            {"number": 2, "path": "dog.txt", "size": 5, "object": f"extracted/{job_id}/2/dog.txt"},
            {"number": 3, "path": "../bird", "size": 5, "reason": "unsafe_path"},
        ],
    }


def test_an_extracted_file_states_where_it_comes_from(cloud: FakeCloud, uploaded: Uploaded) -> None:
    file = uploaded("pets.zip", zipped(THREE), "application/zip", {"order": "4711", "sluice-steps": "extract"})
    deliver(file, cloud, step=extracting(copy_metadata=True, cache_control="no-store"))

    name = f"extracted/{Run(file).job_id}/2/dog.txt"
    stored = cloud.uploads.find(name)

    assert stored is not None
    assert stored.content_type == "text/plain"
    assert cloud.uploads.cache_controls[name] == "no-store"
    assert stored.metadata == {"sluice-hops": "1", "sluice-parent": Run(file).job_id, "sluice-member": "2", "order": "4711"}


def test_without_copy_metadata_only_the_marks_are_set(cloud: FakeCloud, uploaded: Uploaded) -> None:
    file = uploaded("pets.zip", zipped(THREE), "application/zip", {"order": "4711"})
    deliver(file, cloud)

    assert set(next(iter(cloud.uploads.page("extracted/", "", 1).values()))) == {
        "sluice-hops",
        "sluice-parent",
        "sluice-member",
    }


def test_copied_metadata_never_exceeds_the_limit_of_an_object(cloud: FakeCloud, uploaded: Uploaded) -> None:
    file = uploaded("pets.zip", zipped(THREE), "application/zip", {"a": "x" * 4000, "b": "y" * 4200, "c": "z"})
    deliver(file, cloud, step=extracting(copy_metadata=True))

    (found,) = cloud.uploads.page("extracted/", "", 1).values()
    assert set(found) == {"sluice-hops", "sluice-parent", "sluice-member", "a", "c"}


@pytest.mark.parametrize(
    ("name", "metadata", "depth"),
    [
        ("a.zip", {}, 0),
        ("a.zip", {"sluice-hops": "2"}, 2),
        ("extracted/job/1/a.zip", {}, 1),
        ("extracted/job/1/a.zip", {"sluice-hops": "0"}, 1),
        ("extracted/job/1/a.zip", {"sluice-hops": "3"}, 3),
        ("a.zip", {"sluice-hops": "-1"}, 0),
        ("a.zip", {"sluice-hops": "\u0663"}, 0),
        ("a.zip", {"sluice-hops": "9" * 5000}, 1000),
    ],
)
def test_hops_are_those_stated_and_at_least_one_below_extracted(name: str, metadata: Mapping[str, str], depth: int) -> None:
    assert extraction.hops(File("uploads", name, 1, 1, "application/zip", "", metadata)) == depth


def test_an_archive_in_an_archive_stays_packed_beyond_the_depth(cloud: FakeCloud, uploaded: Uploaded) -> None:
    inner = uploaded("extracted/job/1/inner.zip", zipped(THREE), "application/zip", {"sluice-hops": "1"})

    refused = deliver(inner, cloud)
    deeper = deliver(inner, cloud, step=extracting(max_depth=2))

    assert (refused.verdict, refused.reason) == ("failed", "too_deep")
    assert deeper.verdict == "succeeded"
    assert {one["sluice-hops"] for one in cloud.uploads.page("extracted/" + Run(inner).job_id, "", 9).values()} == {"2"}


def test_another_generation_and_another_run_have_folders_of_their_own(cloud: FakeCloud, uploaded: Uploaded) -> None:
    first = uploaded("pets.zip", zipped(THREE), "application/zip")
    deliver(first, cloud)
    deliver(first, cloud, run=1)
    second = uploaded("pets.zip", zipped({"other": b"x"}), "application/zip")
    deliver(second, cloud)

    assert (
        list(extracted(cloud, Run(first).job_id)) == list(extracted(cloud, Run(first, 1).job_id)) == ["1/cat.txt", "2/dog.txt"]
    )
    assert extracted(cloud, Run(second).job_id) == {"1/other": b"x"}


def test_a_repeat_changes_nothing(cloud: FakeCloud, uploaded: Uploaded) -> None:
    file = uploaded("pets.zip", zipped(THREE), "application/zip")
    first = deliver(file, cloud)
    before = dict(cloud.uploads.versions)

    again = deliver(file, cloud)

    assert cloud.uploads.versions == before
    assert again.facts == first.facts


# ---- batches ------------------------------------------------------------------------------------------------------------


SIX = zipped({f"{number}.txt": bytes([64 + number]) * 40 for number in range(1, 7)})
NAMES = [f"{number}/{number}.txt" for number in range(1, 7)]


def test_an_archive_is_extracted_in_batches_of_the_largest_member(cloud: FakeCloud, uploaded: Uploaded) -> None:
    file = uploaded("six.zip", SIX, "application/zip")
    result = deliver(file, cloud, step=extracting(max_member_bytes=100))

    assert list(extracted(cloud, Run(file).job_id)) == NAMES
    assert [member["number"] for member in result.facts["listed"]] == [1, 2, 3, 4, 5, 6]


def test_the_steps_output_bytes_bound_a_batch_and_a_member(cloud: FakeCloud, uploaded: Uploaded) -> None:
    step = extracting()
    narrow = replace(step, limits=replace(step.limits, output_bytes=39))
    file = uploaded("six.zip", SIX, "application/zip")

    result = deliver(file, cloud, step=narrow)

    assert (result.verdict, result.reason) == ("failed", "no_output")
    assert result.message == "none of the members of the archive can be extracted: 6 too_large"


def kept(cloud: FakeCloud) -> list[str]:
    return [name.rpartition("/")[2] for name in cloud.results.names("attempts/") if "/from-" in name]


def test_a_later_delivery_goes_on_behind_the_last_batch(cloud: FakeCloud, uploaded: Uploaded) -> None:
    step, file = extracting(max_member_bytes=100), uploaded("six.zip", SIX, "application/zip")
    cloud.uploads = Failing(cloud.uploads, "5.txt")  # type: ignore[assignment]
    with pytest.raises(Unavailable):
        deliver(file, cloud, step=step)
    assert kept(cloud) == ["from-1", "from-3"]
    cloud.uploads.created.clear()  # type: ignore[attr-defined]

    result = deliver(file, cloud, 2, step=step)

    assert cloud.uploads.created == ["5.txt", "6.txt"]  # type: ignore[attr-defined]
    assert list(extracted(cloud, Run(file).job_id)) == NAMES
    assert [member["number"] for member in result.facts["listed"]] == [1, 2, 3, 4, 5, 6]


def test_a_delivery_without_time_for_another_batch_leaves_it_to_the_next(cloud: FakeCloud, uploaded: Uploaded) -> None:
    step, file = extracting(max_member_bytes=100), uploaded("six.zip", SIX, "application/zip")
    hurried = replace(step, limits=replace(step.limits, seconds=5400))  # more than the pool has for a delivery
    for number in (1, 2):
        with pytest.raises(Unavailable, match="the next delivery goes on"):
            deliver(file, cloud, number, step=hurried)

    result = deliver(file, cloud, 3, step=hurried)

    assert result.verdict == "succeeded"
    assert list(extracted(cloud, Run(file).job_id)) == NAMES
    assert len([name for name in cloud.results.names("attempts/") if name.endswith("-void")]) == 2


class Cut(Exception):
    """The end of a process, at a write."""


class Mortal:
    """A bucket whose process ends once: before the write of this number, or right after it."""

    def __init__(self, bucket: FakeBucket, writes: Iterator[int], at: int, *, is_done: bool) -> None:
        self.bucket = bucket
        self._writes = writes
        self._at, self._is_done = at, is_done

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bucket, name)

    def create(self, name: str, *what: Any) -> Any:
        is_here = next(self._writes) == self._at
        if is_here and not self._is_done:
            raise Cut
        stored = self.bucket.create(name, *what)
        if is_here:
            raise Cut
        return stored


#: Of a first delivery: six files, and the notes of two batches.
WRITES = 8


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(WRITES))
def test_an_end_at_any_write_heals(cloud: FakeCloud, uploaded: Uploaded, at: int, *, is_done: bool) -> None:
    step, file = extracting(max_member_bytes=100), uploaded("six.zip", SIX, "application/zip")
    uploads, results, writes = cloud.uploads, cloud.results, count()
    cloud.uploads = Mortal(uploads, writes, at, is_done=is_done)  # type: ignore[assignment]
    cloud.results = Mortal(results, writes, at, is_done=is_done)  # type: ignore[assignment]
    with pytest.raises(Cut):
        deliver(file, cloud, step=step)

    result = deliver(file, cloud, 2, step=step)

    assert extracted(cloud, Run(file).job_id) == {name: bytes([65 + at]) * 40 for at, name in enumerate(NAMES)}
    assert [member["object"].rpartition("/")[2] for member in result.facts["listed"]] == [f"{at}.txt" for at in range(1, 7)]
    assert all(len(versions) == 1 for versions in uploads.versions.values())


def test_a_long_list_becomes_an_output(cloud: FakeCloud, uploaded: Uploaded) -> None:
    file = uploaded("six.zip", SIX, "application/zip")
    result = deliver(file, cloud, step=extracting(listed=2))

    (output,) = result.outputs
    listed = json.loads(cloud.results.read(output.object) or b"")

    assert output.name == "members.json"
    assert [member["number"] for member in result.facts["listed"]] == [1, 2]
    assert [member["number"] for member in listed] == [1, 2, 3, 4, 5, 6]
    assert listed[5]["object"] == f"extracted/{Run(file).job_id}/6/6.txt"


# ---- archives without a file, and children that cannot be trusted ------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reason"),
    [(zipped({}), "no_output"), (zipped({"a/": b""}), "no_output"), (encrypted(zipped({"a": b"x"})), "password")],
    ids=["empty", "folders", "encrypted"],
)
def test_an_archive_without_a_file_fails_with_a_reason(cloud: FakeCloud, uploaded: Uploaded, data: bytes, reason: str) -> None:
    result = deliver(uploaded("a.zip", data, "application/zip"), cloud)

    assert (result.verdict, result.reason) == ("failed", reason)


COUNTS = {"format": "zip", "members": 2, "unpacked_bytes": 2}
LIES: Mapping[str, tuple[str, Mapping[str, Any], Mapping[str, Any]]] = {
    "no number": ("x", {"name": "a", "path": "a"}, {**COUNTS, "refused": [], "next": 0}),
    "no name": ("1", {"path": "a"}, {**COUNTS, "refused": [], "next": 0}),
    "a name of dots": ("1", {"name": "..", "path": "a"}, {**COUNTS, "refused": [], "next": 0}),
    "a number too high": ("10001", {"name": "a", "path": "a"}, {**COUNTS, "refused": [], "next": 0}),
    "a number of the next batch": ("2", {"name": "a", "path": "a"}, {**COUNTS, "refused": [], "next": 2}),
    "the same batch again": ("1", {"name": "a", "path": "a"}, {**COUNTS, "refused": [], "next": 1}),
    "no facts": ("1", {"name": "a", "path": "a"}, {}),
    "a strange refusal": ("1", {"name": "a", "path": "a"}, {**COUNTS, "refused": [{"number": 2}], "next": 0}),
}


@pytest.fixture
def hijacked(request: pytest.FixtureRequest) -> Iterator[None]:
    """In place of the processor, one that answers as this test says."""
    number, facts, more = LIES[request.param]

    def work(_source: Path, folder: Path, _options: Extract) -> Iterator[Draft | Mapping[str, Any]]:
        (folder / "file").write_bytes(b"x")
        yield Draft(number, "text/plain", folder / "file", facts)
        yield more

    right = processors.find("archive.extract")
    registered["archive.extract"] = Processor(right.name, 1, Extract, work, extracts=True)
    yield
    registered["archive.extract"] = right


@pytest.mark.parametrize("hijacked", list(LIES), indirect=True)
def test_an_answer_that_no_archive_has_is_the_verdict_of_a_crash(hijacked: None, cloud: FakeCloud, uploaded: Uploaded) -> None:
    result = deliver(uploaded("a.zip", b"PK", "application/zip"), cloud)

    assert (result.verdict, result.reason) == ("failed", "decoder_crashed")
    assert extracted(cloud) == {}


class Failing:
    """A bucket that notes the names that it is given, and fails once at one of them."""

    def __init__(self, bucket: FakeBucket, name: str) -> None:
        self.bucket = bucket
        self.created: list[str] = []
        self._left = [name]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bucket, name)

    def create(self, name: str, *what: Any) -> Any:
        last = name.rpartition("/")[2]
        if last in self._left:
            self._left.remove(last)
            raise Unavailable("planted")
        self.created.append(last)
        return self.bucket.create(name, *what)
