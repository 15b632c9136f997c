"""Pictures by their geometry: boxes, lines and lanes, of any graph."""

import random
from itertools import combinations, pairwise

import pytest

from shared.console.drawing import BOX_WIDTH_PX, Band, Box, Graph, Line, Node, Picture, picture

LANES = ["images", "files", "slow"]
MAX_STEPS, MAX_SOURCES = 30, 6


@pytest.fixture(params=range(30))
def graph(request: pytest.FixtureRequest) -> Graph:
    """Sources, and steps in some lanes; each comes after sources or earlier steps. Another one for each seed."""
    dice = random.Random(request.param)
    lanes = dice.sample(LANES, dice.randint(1, len(LANES)))
    nodes = [Node(f"s{number}", ("source",) * dice.randint(1, 5)) for number in range(dice.randint(1, MAX_SOURCES))]
    arrows = []
    for number in range(dice.randint(0, MAX_STEPS)):
        before = dice.sample(nodes, min(len(nodes), dice.randint(1, 4)))
        nodes.append(Node(f"n{number}", ("step",) * dice.randint(1, 3), dice.choice(lanes), dice.random() < 0.3))
        arrows += [(node.key, nodes[-1].key) for node in before]
    return Graph(nodes, arrows, {lane: f"queue {lane}" for lane in lanes})


def overlap(one: Box | Band, other: Box | Band) -> bool:
    """Whether two rectangles share a point."""
    apart = one.x + one.width <= other.x or other.x + other.width <= one.x
    return not apart and one.y < other.y + other.height and other.y < one.y + one.height


def contains(band: Band, box: Box) -> bool:
    """Whether a box is wholly within a lane, below its title."""
    is_across = band.x <= box.x and box.x + box.width <= band.x + band.width
    return is_across and band.y < box.y and box.y + box.height <= band.y + band.height


def crosses(line: Line, box: Box) -> bool:
    """Whether a line runs over a box. A curve does not leave the rectangle between its ends."""
    if line.end_x <= box.x or line.x >= box.x + box.width:
        return False
    low, high = sorted((line.y, line.end_y))
    return low < box.y + box.height and high > box.y


def leads(drawn: Picture, start: Box, end: Box) -> bool:
    """Whether lines lead from the right edge of one box to the left edge of another, without a box between them."""
    goal = end.x, end.y + end.height // 2
    waiting, seen = [(start.x + start.width, start.y + start.height // 2)], set()
    while waiting:
        here = waiting.pop()
        if here == goal:
            return True
        if here not in seen:
            seen.add(here)
            waiting += [(line.end_x, line.end_y) for line in drawn.lines if (line.x, line.y) == here]
    return False


def test_no_boxes_overlap_and_each_lies_in_its_lane(graph: Graph) -> None:
    drawn = picture(graph)
    lanes = dict(zip(graph.lanes, drawn.bands, strict=True))

    assert {box.node.key for box in drawn.boxes} == {node.key for node in graph.nodes}
    assert not [pair for pair in combinations(drawn.boxes, 2) if overlap(*pair)]
    assert not [pair for pair in combinations(drawn.bands, 2) if overlap(*pair)]
    assert all(contains(lanes[box.node.lane], box) for box in drawn.boxes if box.node.lane)
    assert not [box for box in drawn.boxes for band in drawn.bands if not box.node.lane and overlap(box, band)]


def test_each_arrow_leads_from_box_to_box_and_over_none(graph: Graph) -> None:
    drawn = picture(graph)
    boxes = {box.node.key: box for box in drawn.boxes}

    assert all(leads(drawn, boxes[start], boxes[end]) for start, end in graph.arrows)
    assert not [(line, box) for line in drawn.lines for box in drawn.boxes if crosses(line, box)]
    assert len({(line.end_x, line.end_y) for line in drawn.lines if line.has_tip}) == len({end for _, end in graph.arrows})


def test_nothing_leaves_the_picture(graph: Graph) -> None:
    drawn = picture(graph)

    shapes: tuple[Box | Band, ...] = (*drawn.boxes, *drawn.bands)
    for shape in shapes:
        assert shape.x >= 0
        assert shape.y >= 0
        assert shape.x + shape.width <= drawn.width
        assert shape.y + shape.height <= drawn.height


def test_a_step_stands_to_the_right_of_all_that_it_comes_after() -> None:
    nodes = [Node("s", ("s",)), *(Node(key, (key,), "images") for key in ("a", "b", "c"))]
    drawn = picture(Graph(nodes, [("s", "a"), ("a", "b"), ("s", "c"), ("b", "c")], {"images": "queue images"}))
    xs = [box.x for box in drawn.boxes]

    assert xs == sorted(set(xs))
    assert min(right - left for left, right in pairwise(xs)) > BOX_WIDTH_PX


def test_lines_to_a_step_with_a_condition_are_marked_on_all_their_way() -> None:
    nodes = [Node("s", ("s",)), Node("a", ("a",), "images"), Node("b", ("b",), "images", is_conditional=True)]
    drawn = picture(Graph(nodes, [("s", "a"), ("a", "b"), ("s", "b")], {"images": "queue images"}))

    assert sum(line.is_conditional for line in drawn.lines) == 4
    assert sum(line.has_tip for line in drawn.lines) == 3


def test_a_pipeline_without_steps_is_a_picture_too() -> None:
    assert picture(Graph([], [], {})).boxes == ()
