"""Graphs of pipelines and plans: their boxes, arrows and lanes."""

from typing import Any

import pytest

from shared import routes
from shared.console import graphs
from shared.console.drawing import Graph
from shared.operations import explain
from shared.routes import Routes
from shared.settings import ROOT
from tests.unit.pipelines import table


@pytest.fixture
def shipped() -> Routes:
    return routes.load(ROOT / "pipeline.toml")


def graph(steps: dict[str, Any], *taken: dict[str, Any]) -> Graph:
    """The graph of a pipeline of these steps and routes."""
    return graphs.of_routes(routes.check(table(steps, *taken)))


def test_the_shipped_pipeline_has_its_routes_steps_and_lanes(shipped: Routes) -> None:
    drawn = graphs.of_routes(shipped)

    assert set(drawn.arrows) >= {
        ("route 1", "thumbnails in images"),
        ("route 2", "facts in images"),
        ("route 2", "avif in slow"),
        ("facts in images", "avif in slow"),
        (f"route {len(shipped.routes)}", "digest in files"),
    }
    assert list(drawn.lanes.values()) == [
        "queue images · pool default",
        "queue documents · pool default",
        "queue files · pool default",
        "queue slow · pool slow",
        "queue media · pool media",
    ]
    assert [node.key for node in drawn.nodes if node.is_conditional] == ["avif in slow", "poster in media", "waveform in media"]
    assert [node.key for node in drawn.nodes if node.is_on_request] == ["route 2", "route 7"]


def test_a_step_that_routes_send_to_two_queues_has_two_boxes(shipped: Routes) -> None:
    keys = [node.key for node in graphs.of_routes(shipped).nodes]

    assert {"digest in images", "digest in files"} <= set(keys)
    assert len(keys) == len(set(keys))


def test_each_box_is_listed_after_those_that_lead_to_it() -> None:
    drawn = graph({"z": {}, "m": {"after": ["z"]}, "a": {"after": ["m", "z"], "queue": "slow"}})
    keys = [node.key for node in drawn.nodes]

    assert all(keys.index(start) < keys.index(end) for start, end in drawn.arrows)


def test_a_route_leads_to_its_first_steps_only() -> None:
    drawn = graph({"a": {}, "b": {"after": ["a"]}})

    assert list(drawn.arrows) == [("route 1", "a in images"), ("a in images", "b in images")]


def test_a_route_shows_its_tests_but_no_values_of_metadata() -> None:
    [source, *_] = graph(
        {"a": {}},
        {"steps": ["a"], "name": "in/**", "metadata": {"tenant": "secret"}, "max_bytes": 2_000_000, "on_request": True},
    ).nodes

    assert source.lines == ("Route 1", "*/*", "in/**", "metadata tenant", "at most 2.0 MB", "on request")


def test_a_plan_leads_from_the_file_through_its_steps(shipped: Routes) -> None:
    drawn = graphs.of_plan("cat.jpg", explain.steps(shipped.whole_plan([0, 1])), shipped)

    assert ("file", "facts in images") in drawn.arrows
    assert ("file", "avif in slow") not in drawn.arrows
    assert ("facts in images", "avif in slow") in drawn.arrows
    assert drawn.nodes[0].lines == ("cat.jpg",)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a" * 25, "a" * 25), ("a" * 26, "a" * 24 + "…"), ("写" * 12, "写" * 12), ("写" * 13, "写" * 11 + "…"), ("", "")],
)
def test_texts_are_cut_at_the_width_of_a_box(text: str, shown: str) -> None:
    assert graphs.shortened(text) == shown
