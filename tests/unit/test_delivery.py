"""One delivery of a task: its steps in order, the files that they need, and their results."""

import errno
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from shared import delivery, ledger, manifest
from shared.cloud.protocols import AlreadyExists
from shared.errors import BadFile, Unavailable
from shared.ledger import Manifests
from shared.model import LIMITS, File, Place, Result, Run
from shared.plan import FILE, Condition, Plan
from shared.processors import Draft
from shared.processors.registry import registered
from shared.testing import FakeBucket, FakeCloud, FakeSandbox
from tests.unit.plans import SCRIPTED, Script, chain, plan, step, task

Uploaded = Callable[..., File]


@dataclass
class Downloads:
    """A bucket that lists the downloads from it."""

    bucket: FakeBucket
    names: list[str]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bucket, name)

    def download(self, name: str, generation: int, size: int, path: Path) -> str:
        self.names.append(name)
        return self.bucket.download(name, generation, size, path)


@pytest.fixture
def downloads(cloud: FakeCloud) -> list[str]:
    """The names of all downloads, from both buckets."""
    names: list[str] = []
    cloud.uploads, cloud.results = Downloads(cloud.uploads, names), Downloads(cloud.results, names)  # type: ignore[assignment]
    return names


@pytest.fixture
def cat(uploaded: Uploaded) -> File:
    return uploaded("cat.jpg", b"meow")


def deliver(steps: Plan, file: File, cloud: FakeCloud, number: int = 1, place: Place | None = None) -> Mapping[str, Result]:
    """Deliver the first task of the plan, or the one at this place; the results by step."""
    manifests = Manifests(cloud.results, Run(file), steps)
    results = delivery.run(task(steps, place, file=file), number, cloud, manifests)
    assert [result.step for result in results] == [one.name for one in steps.steps_at(place or steps.places[0])]
    return {result.step: result for result in results}


def text(cloud: FakeCloud, result: Result) -> str:
    """The text of the result's only output."""
    (output,) = result.outputs
    return (cloud.results.read(output.object) or b"").decode()


def test_all_steps_of_a_task_share_one_download(cloud: FakeCloud, cat: File, script: Script, downloads: list[str]) -> None:
    results = deliver(plan(step("a"), step("b"), step("c")), cat, cloud)

    assert [text(cloud, result) for result in results.values()] == ["a(meow)", "b(meow)", "c(meow)"]
    assert downloads == ["cat.jpg"]


def test_an_output_is_the_input_of_a_later_step_without_a_download(
    cloud: FakeCloud, cat: File, script: Script, downloads: list[str]
) -> None:
    results = deliver(plan(step("a"), step("b", after=("a",), input="a/1.txt")), cat, cloud)

    assert text(cloud, results["b"]) == "b(a(meow))"
    assert downloads == ["cat.jpg"]


def test_an_output_of_another_task_is_downloaded_in_place_of_the_original(
    cloud: FakeCloud, cat: File, script: Script, downloads: list[str]
) -> None:
    second = commit_first(chain(), cat, cloud)
    downloads.clear()

    results = deliver(chain(), cat, cloud, place=second)

    assert text(cloud, results["b"]) == "b(a(meow))"
    assert downloads == [f"files/cat.jpg/{cat.generation}/{chain().by_name['a'].recipe.recipe_id}/1.txt"]


def commit_first(steps: Plan, file: File, cloud: FakeCloud) -> Place:
    """Work and commit the first task; the place of the second."""
    first, second = steps.places
    results = deliver(steps, file, cloud)
    draft = manifest.of_task(task(steps, first, file=file), results.values(), "2026-01-15T10:00:00.000Z")
    ledger.commit(cloud.results, ledger.manifest_name(Run(file), steps, first), draft)
    return second


@pytest.mark.parametrize("change", ["deleted", "replaced"])
def test_an_input_that_is_no_longer_what_was_made_fails_its_step(
    cloud: FakeCloud, cat: File, script: Script, change: str
) -> None:
    second = commit_first(chain(), cat, cloud)
    (name,) = cloud.results.names("files/")
    if change == "deleted":
        del cloud.results.versions[name]
    else:
        cloud.results.put(name, b"something else")

    failed = deliver(chain(), cat, cloud, place=second)["b"]

    assert (failed.verdict, failed.reason, failed.attempt) == ("failed", "no_input", 0)
    assert failed.message == f"its input {name} was deleted or replaced after it was made"


def test_an_input_deleted_just_before_its_download_fails_its_step(cloud: FakeCloud, cat: File, script: Script) -> None:
    second = commit_first(chain(), cat, cloud)
    found = cloud.results.find
    cloud.results.find = lambda name: replace(stored, generation=1) if (stored := found(name)) else None  # type: ignore[method-assign]

    failed = deliver(chain(), cat, cloud, place=second)["b"]

    assert (failed.verdict, failed.reason) == ("failed", "no_input")


def test_a_message_about_many_outputs_is_cut(cloud: FakeCloud, cat: File, script: Script) -> None:
    script.outputs["a"] = [f"{number}.txt" for number in range(200)]

    failed = deliver(plan(step("a"), step("b", after=("a",), input="a/none.txt")), cat, cloud)["b"]

    assert failed.message.startswith("its input a/none.txt was not made; step a made 0.txt, 1.txt")
    assert len(failed.message) == 500


def test_each_step_has_times_and_cost_of_its_own(cloud: FakeCloud, cat: File, script: Script) -> None:
    script.raises["b"] = BadFile("corrupt")

    results = deliver(plan(step("a"), step("b")), cat, cloud)

    assert list(results["a"].times) == ["begun", "fetched", "worked", "stored"]
    assert list(results["b"].times) == ["begun", "fetched", "worked"]
    assert [result.cost["bytes_out"] for result in results.values()] == [len("a(meow)"), 0]


def test_an_input_that_its_step_did_not_make_fails_with_what_it_made(cloud: FakeCloud, cat: File, script: Script) -> None:
    script.outputs["a"] = ["x.txt", "y.txt"]

    failed = deliver(plan(step("a"), step("b", after=("a",), input="a/1.txt")), cat, cloud)["b"]

    assert (failed.verdict, failed.reason) == ("failed", "no_input")
    assert failed.message == "its input a/1.txt was not made; step a made x.txt, y.txt"


def test_nothing_is_downloaded_for_steps_without_work(
    cloud: FakeCloud, cat: File, script: Script, downloads: list[str]
) -> None:
    small = Condition(FILE, "size", {"max": 1})
    results = deliver(plan(step("a", when=small), step("b", after=("a",)), step("c", fault="sizes: wrong")), cat, cloud)

    assert [result.reason for result in results.values()] == ["when", "after_skipped", "bad_option"]
    assert downloads == []


def test_one_step_with_a_bad_option_keeps_no_other_from_its_work(cloud: FakeCloud, cat: File, script: Script) -> None:
    results = deliver(plan(step("a", fault="sizes: wrong"), step("b")), cat, cloud)

    assert [result.verdict for result in results.values()] == ["failed", "succeeded"]


def test_each_step_that_needs_a_vanished_file_ends_so(
    cloud: FakeCloud, cat: File, script: Script, downloads: list[str]
) -> None:
    steps = plan(step("a"), step("b"), step("c", when=Condition(FILE, "size", {"max": 1})))
    del cloud.uploads.versions["cat.jpg"]
    gone = deliver(steps, cat, cloud)
    cloud.uploads.put("cat.jpg", b"newer")
    superseded = deliver(steps, cat, cloud)

    assert [result.verdict for result in gone.values()] == ["gone", "gone", "skipped"]
    assert [result.verdict for result in superseded.values()] == ["superseded", "superseded", "skipped"]
    assert script.worked == []
    assert downloads == ["cat.jpg", "cat.jpg"]  # once for each delivery


def test_a_step_with_an_input_outlives_the_original(cloud: FakeCloud, cat: File, script: Script) -> None:
    second = commit_first(chain(), cat, cloud)
    cloud.uploads.versions.clear()

    assert deliver(chain(), cat, cloud, place=second)["b"].verdict == "succeeded"


@pytest.mark.failure("T36")
def test_a_failed_step_stops_only_what_comes_after_it(cloud: FakeCloud, cat: File, script: Script) -> None:
    script.raises["a"] = BadFile("cut short", "corrupt")

    results = deliver(plan(step("a"), step("b", after=("a",)), step("c")), cat, cloud)

    assert [(result.verdict, result.reason) for result in results.values()] == [
        ("failed", "corrupt"),
        ("skipped", "after_failed"),
        ("succeeded", ""),
    ]


def test_a_condition_reads_a_fact_of_this_delivery(cloud: FakeCloud, cat: File, script: Script) -> None:
    script.facts["a"] = {"page": {"width": 595}}
    wide, narrow = (Condition("a", "page.width", {kind: 600}) for kind in ("min", "max"))

    results = deliver(plan(step("a"), step("b", after=("a",), when=wide), step("c", after=("a",), when=narrow)), cat, cloud)

    assert [result.verdict for result in results.values()] == ["succeeded", "skipped", "succeeded"]
    assert results["b"].message == "its condition is false: a.page.width is 595"


def test_a_step_may_have_facts_alone(cloud: FakeCloud, cat: File, script: Script) -> None:
    script.facts["a"], script.outputs["a"] = {"width_px": 640}, []

    result = deliver(plan(step("a")), cat, cloud)["a"]

    assert (result.verdict, dict(result.facts), result.outputs) == ("succeeded", {"width_px": 640}, ())
    assert list(cloud.results.names("")) == []


def test_a_result_has_times_and_cost(cloud: FakeCloud, cat: File, script: Script) -> None:
    result = deliver(plan(step("a")), cat, cloud)["a"]

    assert list(result.times) == ["begun", "fetched", "worked", "stored"]
    assert list(result.times.values()) == sorted(result.times.values())
    assert (result.cost["bytes_in"], result.cost["bytes_out"]) == (len("meow"), len("a(meow)"))
    assert 0 <= result.cost["cpu_seconds"] < 1


def test_a_step_without_work_has_neither_times_nor_cost(cloud: FakeCloud, cat: File, script: Script) -> None:
    result = deliver(plan(step("a", fault="sizes: wrong")), cat, cloud)["a"]

    assert (result.times, result.cost, result.attempt) == ({}, {}, 0)


def test_a_failed_step_has_times_and_cost_of_its_work(cloud: FakeCloud, cat: File, script: Script) -> None:
    script.raises["a"] = BadFile("cut short", "corrupt")

    result = deliver(plan(step("a")), cat, cloud)["a"]

    assert (list(result.times), result.attempt) == (["begun", "fetched", "worked"], 1)
    assert (result.cost["bytes_in"], result.cost["bytes_out"]) == (len("meow"), 0)


def test_a_processor_that_removes_its_source_hides_no_error(cloud: FakeCloud, cat: File, script: Script) -> None:
    def consume(source: Path, _folder: Path, _options: object) -> Iterator[Draft]:
        source.unlink()
        yield from ()
        raise BadFile("cut short", "corrupt")

    registered[SCRIPTED] = replace(registered[SCRIPTED], work=consume)

    assert deliver(plan(step("a")), cat, cloud)["a"].reason == "corrupt"


@pytest.mark.failure("T37")
def test_an_output_of_an_earlier_delivery_is_adopted_as_it_is_stored(cloud: FakeCloud, cat: File, script: Script) -> None:
    steps = plan(step("a"), step("b", after=("a",), input="a/1.txt"))
    name = ledger.output_name(Run(cat), steps.by_name["a"].recipe, "1.txt")
    stored = cloud.results.put(name, b"earlier", "text/plain")

    results = deliver(steps, cat, cloud)

    (output,) = results["a"].outputs
    assert (output.size, output.crc32c) == (stored.size, stored.crc32c)
    assert text(cloud, results["b"]) == "b(earlier)"


def test_a_result_of_an_earlier_delivery_is_taken(cloud: FakeCloud, cat: File, script: Script) -> None:
    steps = plan(step("a"), step("b", after=("a",), input="a/1.txt"))
    script.raises["b"] = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        deliver(steps, cat, cloud, 2)
    del script.raises["b"]

    results = deliver(steps, cat, cloud, 3)

    assert script.worked == ["a", "b", "b"]
    assert text(cloud, results["b"]) == "b(a(meow))"
    assert (results["a"].attempt, results["b"].attempt) == (1, 2)


def test_a_failure_of_an_earlier_delivery_is_taken_too(cloud: FakeCloud, cat: File, script: Script) -> None:
    steps = plan(step("a"), step("b"))
    script.raises |= {"a": BadFile("cut short", "corrupt"), "b": ZeroDivisionError()}
    with pytest.raises(ZeroDivisionError):
        deliver(steps, cat, cloud, 2)
    script.raises.clear()

    assert [result.verdict for result in deliver(steps, cat, cloud, 3).values()] == ["failed", "succeeded"]


def test_a_step_that_cannot_end_dies_alone(cloud: FakeCloud, cat: File, script: Script) -> None:
    steps = plan(step("a"), step("b", attempts=2), step("c", after=("b",)), step("d"))
    script.raises["b"] = ZeroDivisionError("division by zero")
    for number in (1, 2):
        with pytest.raises(ZeroDivisionError):
            deliver(steps, cat, cloud, number)

    results = deliver(steps, cat, cloud, 3)

    assert [result.verdict for result in results.values()] == ["succeeded", "dead", "skipped", "succeeded"]
    assert (results["b"].reason, results["b"].attempt) == ("attempts_used_up", 2)
    assert results["b"].message == "ZeroDivisionError: division by zero"
    assert results["c"].reason == "after_failed"


def test_an_outage_before_the_file_is_on_disk_costs_no_attempt(cloud: FakeCloud, cat: File, script: Script) -> None:
    steps = plan(step("a", attempts=1))
    cloud.uploads.broken = {"download"}
    for number in range(1, 30):
        with pytest.raises(Unavailable):
            deliver(steps, cat, cloud, number)
    assert [name.rpartition("/")[2] for name in cloud.results.names("attempts/")] == ["0-error"]  # for the status service
    cloud.uploads.broken = set()

    assert deliver(steps, cat, cloud, 30)["a"].verdict == "succeeded"


@pytest.mark.failure("T48")
def test_a_full_disk_is_no_fault_of_the_file(
    cloud: FakeCloud, cat: File, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(*_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    steps = plan(step("a", attempts=1))
    with monkeypatch.context() as full:
        full.setattr(cloud.uploads, "download", download)
        for number in range(1, 4):
            with pytest.raises(OSError, match="No space left"):
                deliver(steps, cat, cloud, number)

    assert deliver(steps, cat, cloud, 4)["a"].verdict == "succeeded"


@pytest.mark.failure("T36")
def test_an_outage_while_outputs_are_stored_costs_no_attempt(cloud: FakeCloud, cat: File, script: Script) -> None:
    steps = plan(step("a", attempts=1))
    cloud.results.broken = {"create files"}
    for number in range(1, 9):
        with pytest.raises(Unavailable):
            deliver(steps, cat, cloud, number)
    cloud.results.broken = set()

    assert deliver(steps, cat, cloud, 9)["a"].verdict == "succeeded"


def test_a_recipe_of_another_release_costs_no_attempt(cloud: FakeCloud, cat: File) -> None:
    steps = plan(step("a", attempts=1))  # without the scripted processor
    for number in range(1, 9):
        with pytest.raises(Unavailable, match="this release cannot run recipe"):
            deliver(steps, cat, cloud, number)


def test_an_output_that_exists_but_cannot_be_read_is_retried(cloud: FakeCloud, cat: File, script: Script) -> None:
    class Hiding(Downloads):
        def create(self, *_: object) -> None:
            raise AlreadyExists("exists")

        def find(self, _: str) -> None:
            return None

    cloud.results = Hiding(cloud.results, [])  # type: ignore[assignment]

    with pytest.raises(Unavailable, match=r"output 1\.txt exists but cannot be read"):
        deliver(plan(step("a")), cat, cloud)


def test_the_working_folder_is_gone_after_the_delivery(
    cloud: FakeCloud, cat: File, script: Script, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    deliver(plan(step("a")), cat, cloud)
    script.raises["a"] = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        deliver(plan(step("a")), cat, cloud)

    assert list(tmp_path.iterdir()) == []


def test_outputs_that_no_later_step_needs_are_removed_at_once(
    cloud: FakeCloud, cat: File, script: Script, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    on_disk: list[list[str]] = []
    work = script.work

    def looking(source: Path, folder: Path, options: Any) -> Any:
        on_disk.append(sorted(path.read_text() for path in tmp_path.rglob("1.txt")))
        return work(source, folder, options)

    registered[SCRIPTED] = replace(registered[SCRIPTED], work=looking)
    deliver(plan(step("a"), step("b"), step("c", after=("b",), input="b/1.txt"), step("d")), cat, cloud)

    assert on_disk == [[], [], ["b(meow)"], ["b(meow)"]]


def test_a_delivery_without_memory_is_repeated_and_costs_no_attempt(cloud: FakeCloud, cat: File, script: Script) -> None:
    cloud.sandbox = FakeSandbox(room_bytes=1 << 30)

    with cloud.sandbox.reserved(1 << 30), pytest.raises(Unavailable, match="bytes of memory are not free"):
        deliver(plan(step("a")), cat, cloud, number=2)

    assert [name.rpartition("/")[2] for name in cloud.results.names("attempts/")] == ["0-error"]
    assert deliver(plan(step("a")), cat, cloud, number=3)["a"].attempt == 1


def test_a_delivery_reserves_memory_for_its_file_its_largest_step_and_all_outputs(
    cloud: FakeCloud, cat: File, script: Script
) -> None:
    needed = cat.size + LIMITS.memory_bytes + 2 * LIMITS.output_bytes
    cloud.sandbox = FakeSandbox(room_bytes=needed + 1)
    two = plan(step("a"), step("b"))

    with cloud.sandbox.reserved(2), pytest.raises(Unavailable):
        deliver(two, cat, cloud)
    with cloud.sandbox.reserved(1):
        assert deliver(two, cat, cloud)["b"].verdict == "succeeded"


def test_a_delivery_returns_its_memory(cloud: FakeCloud, cat: File, script: Script) -> None:
    cloud.sandbox = FakeSandbox(room_bytes=1 << 30)

    for _ in range(3):
        deliver(plan(step("a")), cat, cloud)

    with cloud.sandbox.reserved(1 << 30) as memory:
        assert memory.held_bytes == 1 << 30


def test_an_input_from_the_results_needs_memory_too(cloud: FakeCloud, cat: File, script: Script) -> None:
    second = commit_first(chain(), cat, cloud)
    needed = cat.size + LIMITS.memory_bytes + LIMITS.output_bytes
    cloud.sandbox = FakeSandbox(room_bytes=needed + 1)

    with cloud.sandbox.reserved(1), pytest.raises(Unavailable, match="more bytes of memory are not free"):
        deliver(chain(), cat, cloud, place=second)
