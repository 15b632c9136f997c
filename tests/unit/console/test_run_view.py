"""A run as its page shows it: bars, facts, cost and notices, drawn from manifests."""

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from flask import Request

from shared import ledger
from shared.console import rendering, run_view
from shared.console.run_view import RunView
from shared.errors import BadFile
from shared.manifest import Manifest
from shared.model import File
from shared.operations.show import show
from shared.testing import FakeCloud
from tests.unit.plans import Script, chain, plan, step
from tests.unit.working import Uploaded, again, work


@pytest.fixture
def cat(uploaded: Uploaded) -> File:
    return uploaded("cat.jpg", b"meow")


def views(cat: File, cloud: FakeCloud) -> list[RunView]:
    """All runs of the file, newest first."""
    found = show(cat.name, cloud)["runs"]
    stored = [[*ledger.history(cloud.results, cat.file_id, run["generation"], str(run["run"]))] for run in found]
    return [RunView(run, [one for one in of if isinstance(one, Manifest)]) for run, of in zip(found, stored, strict=True)]


def test_bars_share_one_time_line(cloud: FakeCloud, cat: File, script: Script) -> None:
    work(chain(), cloud, cat)
    (view,) = views(cat, cloud)
    parts = [part for bar in view.bars.values() for part in bar]

    assert list(view.bars) == ["a", "b"]
    assert [part.mark for part in view.bars["a"]] == ["fetched", "worked", "stored"]
    assert all(part.x >= 0 and part.width > 0 and part.x + part.width <= run_view.BAR_UNITS for part in parts)
    assert all(left.x <= right.x for left, right in pairwise(view.bars["a"]))
    assert view.bars["b"][0].x >= view.bars["a"][-1].x


@pytest.mark.parametrize(
    ("marks", "parts"),
    [
        ({"begun": 10.0, "worked": 15.0, "stored": 20.0}, [("worked", 0, 500), ("stored", 500, 500)]),
        ({"begun": 10.0, "worked": 10.0, "stored": 20.0}, [("worked", 0, 5), ("stored", 0, 1000)]),
        ({"begun": 10.0, "fetched": 20.0, "worked": 20.0}, [("fetched", 0, 1000), ("worked", 995, 5)]),
    ],
)
def test_a_part_is_as_wide_as_its_time(marks: dict[str, float], parts: list[tuple[str, int, int]]) -> None:
    found = run_view._parts(marks, 10.0, 10.0)

    assert [(part.mark, part.x, part.width) for part in found] == parts


def test_an_adopted_step_has_no_bar_and_no_cost(cloud: FakeCloud, cat: File, script: Script) -> None:
    script.raises["b"] = BadFile("cut short", "corrupt")
    work(plan(step("a"), step("b")), cloud, cat)
    again(cat, plan(step("a"), step("b")), cloud)
    newest, _first = views(cat, cloud)

    assert list(newest.bars) == ["b"]
    assert [one["step"] for one in newest.faults] == ["b"]
    assert [row["address"] for row in newest.outputs] == [f"/outputs/{newest.run['job_id']}/a/1.txt"]


def test_the_notices_are_those_that_were_published(cloud: FakeCloud, cat: File, script: Script) -> None:
    work(chain(), cloud, cat, "0-q1")
    (before,) = views(cat, cloud)
    work(chain(), cloud, cat, "1-q2")
    (after,) = views(cat, cloud)

    assert [one.type for one in before.told] == ["sluice.step.finished.v1"]
    published = {notice.attributes["ce-id"]: notice.attributes["verdict"] for notice in cloud.completions.notices}
    assert {one.id: one.verdict for one in after.told} == published
    assert after.told[-1].type == "sluice.job.finished.v1"


def test_the_cost_is_that_of_all_manifests(cloud: FakeCloud, cat: File, script: Script) -> None:
    work(chain(), cloud, cat)
    (view,) = views(cat, cloud)

    assert (view.use.tasks, view.use.writes) == (4, 5)  # of each task a manifest and an output; of the job its entry


@pytest.mark.parametrize(
    ("found", "rows"),
    [
        ({}, []),
        ({"page": {"width": 3, "unit": "mm"}}, [("page.width", "3"), ("page.unit", "mm")]),
        ({"tags": ["a", "b"], "none": []}, [("tags", "a, b"), ("none", "none")]),
        ({"rows": [{"n": 1}, {"n": 2}]}, [("rows.1.n", "1"), ("rows.2.n", "2")]),
        (
            {"yes": True, "no": False, "null": None, "empty": {}},
            [("yes", "yes"), ("no", "no"), ("null", "none"), ("empty", "none")],
        ),
        ({"size": 1234567, "year": 2026, "x": 0.5}, [("size", "1,234,567"), ("year", "2026"), ("x", "0.5")]),
        ({"long": "x" * 600}, [("long", "x" * 500 + "…")]),
    ],
)
def test_facts_are_rows(found: dict[str, Any], rows: list[tuple[str, str]]) -> None:
    assert run_view.facts(found) == rows


def test_of_many_facts_the_first_are_shown() -> None:
    rows = run_view.facts({str(number): number for number in range(300)})

    assert len(rows) == run_view.MAX_FACTS + 1
    assert rows[-1] == ("…", "100 more in the manifest")


def test_the_page_of_many_steps_reads_the_outputs_of_each_a_few_times() -> None:
    """Not those of all steps for each step: a thousand steps took 18 s of CPU."""
    read = Counter[str]()

    class Step(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            read[key] += 1
            return super().get(key, default)

    shown = {"queue": "q", "after": [], "state": "done", "verdict": "succeeded", "times": {}, "outputs": []}
    steps = [Step(shown, step=f"s{number}", recipe_id=f"s{number}-12345678") for number in range(50)]
    run = {
        "job_id": "j",
        "run": 0,
        "state": "succeeded",
        "size": 1,
        "content_type": "image/png",
        "generation": "1",
        "steps": steps,
    }
    values = {"name": "x", "is_old": False, "parameters": {}, "following": "", "view": run_view}
    rendering.part(Request({}), "file_state.html", runs=[RunView(run, [])], **values)

    assert 0 < read["outputs"] <= 10 * len(steps)
