"""The calls of a first delivery: every call costs money and time, so that their number is a promise."""

from collections import Counter
from collections.abc import Iterator

import pytest

from shared import pipeline
from shared.model import File
from shared.plan import Plan, Task
from shared.routes import load
from shared.settings import ROOT
from shared.testing import FakeCloud
from tests.unit.pipeline.calls import Counted, Uploaded, message, only_task
from tests.unit.pipeline.conftest import Enlist
from tests.unit.plans import Script, chain, join, plan, step

PARTS = ("uploads", "results", "queue", "completions")


class Calls:
    """The calls of each part of the fake cloud since the last look."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._parts = {name: Counted(getattr(cloud, name)) for name in PARTS}
        for name, part in self._parts.items():
            setattr(cloud, name, part)

    def since(self) -> dict[str, dict[str, int]]:
        """By part and method; a part that was not called is missing."""
        counted = {name: dict(Counter(part.calls)) for name, part in self._parts.items() if part.calls}
        for part in self._parts.values():
            part.calls.clear()
        return counted


@pytest.fixture
def shipped(cloud: FakeCloud) -> FakeCloud:
    cloud.routes = load(ROOT / "pipeline.toml")
    return cloud


def test_a_picture_under_the_shipped_pipeline(shipped: FakeCloud, uploaded: Uploaded, photo: bytes) -> None:
    file = uploaded("cat.jpg", photo)
    calls = Calls(shipped)
    pipeline.dispatch(message(file), shipped)
    dispatched = calls.since()
    task = only_task(shipped)
    pipeline.process(task, 1, shipped)

    assert dispatched == {"queue": {"add": 1}}
    assert [one.name for one in task.steps] == ["digest", "facts", "thumbnails"]
    assert calls.since() == {
        "uploads": {"download": 1},
        "results": {"create": 3 + 1 + 1},  # three renditions, the manifest and the index entry
        "completions": {"publish": 1},
    }


def test_another_file_under_the_shipped_pipeline(shipped: FakeCloud, uploaded: Uploaded) -> None:
    pipeline.dispatch(message(uploaded("notes.txt", b"words", "text/plain")), shipped)
    calls = Calls(shipped)
    pipeline.process(only_task(shipped), 1, shipped)

    assert calls.since() == {
        "uploads": {"download": 1},
        "results": {"create": 1 + 1},  # the manifest and the index entry
        "completions": {"publish": 1},
    }


def deliveries(plan: Plan, enlist: Enlist, cloud: FakeCloud) -> Iterator[dict[str, dict[str, int]]]:
    """The calls of `enlist`, then of the first delivery of each task in order."""
    calls = Calls(cloud)
    waiting: list[Task] = enlist(plan)
    yield calls.since()
    for number in range(len(plan.places)):
        pipeline.process(waiting[number], 1, cloud)
        yield calls.since()
        waiting = list(cloud.queue.added.values())


def test_a_chain_costs_one_manifest_and_one_read_more(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    enlisted, first, second = deliveries(chain(), enlist, cloud)

    assert enlisted == {"queue": {"add": 1}}
    assert first == {
        "uploads": {"download": 1},
        "results": {"create": 2},
        "completions": {"publish": 1},
        "queue": {"add": 1},
    }
    assert second == {
        # The manifest before: once for the work, once for the job. Its output: looked up and downloaded.
        "results": {"read": 1, "find": 1, "download": 1, "create": 2 + 1},  # output, manifest, index entry
        "completions": {"publish": 1},
    }


def test_several_first_tasks_cost_one_object_more(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    enlisted, first, second, last = deliveries(join(), enlist, cloud)

    assert enlisted == {"results": {"create": 1}, "queue": {"add": 2}}
    assert first["results"] == {"create": 2, "read": 1}  # is the other branch done?
    assert second["results"] == {"create": 2, "read": 1}
    assert (first.get("queue"), second.get("queue")) == (None, {"add": 1})
    assert last["completions"] == {"publish": 1}


def test_a_task_without_work_downloads_nothing(cloud: FakeCloud, cat: File, enlist: Enlist, script: Script) -> None:
    _, first = deliveries(plan(step("a", fault="sizes: wrong")), enlist, cloud)

    assert first == {"results": {"create": 1 + 1}, "completions": {"publish": 1}}
