"""A graph → the places of its boxes, lines and lanes, in pixels. Pure; `picture.html` makes SVG of them.

The sources stand in the first column, each step one column behind the last one that it comes after. Each lane is a horizontal
band. Lines that pass a column have a gap of their own between its boxes, so that they cross none.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

BOX_WIDTH_PX = 190
COLUMN_GAP_PX = 64
ROW_GAP_PX = 14
LINE_PX = 17
PADDING_PX = 9
#: Height of the title of a lane.
TITLE_PX = 28
LANE_GAP_PX = 12
MARGIN_PX = 12
#: Height of the gap that lines to a later column pass through.
PASS_PX = 8


@dataclass(frozen=True, slots=True)
class Node:
    """A box with its lines of text. One without a lane is a source. `is_conditional` dashes the lines to it."""

    key: str
    lines: tuple[str, ...]
    lane: str = ""
    is_conditional: bool = False
    is_on_request: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes, each listed after those before it, and arrows as pairs of keys.

    `lanes` has the titles of the lanes by name, from top to bottom.
    """

    nodes: Sequence[Node]
    arrows: Sequence[tuple[str, str]]
    lanes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Box:
    node: Node
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Line:
    """A curve to the right; `has_tip` where it ends at a box."""

    x: int
    y: int
    end_x: int
    end_y: int
    is_conditional: bool
    has_tip: bool


@dataclass(frozen=True, slots=True)
class Band:
    """The band of a lane."""

    title: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Picture:
    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class _Spot:
    """The place of a node in its column; with `is_pass`, the gap for the lines that lead on to it."""

    node: Node
    column: int
    is_pass: bool = False

    @property
    def height(self) -> int:
        return PASS_PX if self.is_pass else 2 * PADDING_PX + LINE_PX * len(self.node.lines)


_Link = tuple[_Spot, _Spot]


def picture(graph: Graph) -> Picture:
    """The picture of a graph."""
    columns = _columns(graph)
    links = list(dict.fromkeys(_links(graph, columns)))
    spots = dict.fromkeys([*(_Spot(node, columns[node.key]) for node in graph.nodes), *(end for _, end in links)])
    stacks = _stacks(spots)
    last = max(columns.values(), default=0)
    bands = dict(_bands(graph.lanes, stacks, last))
    tops = {"": MARGIN_PX + TITLE_PX} | {lane: band.y + TITLE_PX for lane, band in bands.items()}
    places = _placed(stacks, links, tops)
    boxes = tuple(Box(one.node, _x(one.column), y, BOX_WIDTH_PX, one.height) for one, y in places.items() if not one.is_pass)
    shapes: tuple[Box | Band, ...] = (*boxes, *bands.values())
    bottom = max((shape.y + shape.height for shape in shapes), default=0)
    width = _x(last) + BOX_WIDTH_PX + 2 * MARGIN_PX
    return Picture(width, bottom + MARGIN_PX, boxes, tuple(_lines(links, places)), tuple(bands.values()))


def _columns(graph: Graph) -> Mapping[str, int]:
    before = defaultdict(list)
    for start, end in graph.arrows:
        before[end].append(start)
    columns: dict[str, int] = {}
    for node in graph.nodes:
        columns[node.key] = max((columns[key] for key in before[node.key]), default=0) + 1 if node.lane else 0
    return columns


def _links(graph: Graph, columns: Mapping[str, int]) -> Iterator[_Link]:
    """The arrows, cut at each column that they pass. Arrows to the same box pass through the same gap."""
    nodes = {node.key: node for node in graph.nodes}
    for start, end in graph.arrows:
        first, last = columns[start], columns[end]
        passed = (_Spot(nodes[end], column, is_pass=True) for column in range(first + 1, last))
        yield from pairwise([_Spot(nodes[start], first), *passed, _Spot(nodes[end], last)])


_Stacks = Mapping[tuple[int, str], Sequence[_Spot]]


def _stacks(spots: Iterable[_Spot]) -> _Stacks:
    """The spots of each column and lane, from left to right."""
    stacks = defaultdict(list)
    for spot in spots:
        stacks[spot.column, spot.node.lane].append(spot)
    return dict(sorted(stacks.items()))


def _bands(lanes: Mapping[str, str], stacks: _Stacks, last: int) -> Iterator[tuple[str, Band]]:
    x, y = _x(1) - MARGIN_PX, MARGIN_PX
    width = _x(last) + BOX_WIDTH_PX + MARGIN_PX - x
    for lane, title in lanes.items():
        heights = (sum(spot.height + ROW_GAP_PX for spot in stack) for (_, name), stack in stacks.items() if name == lane)
        height = TITLE_PX + max(heights, default=0)
        yield lane, Band(title, x, y, width, height)
        y += height + LANE_GAP_PX


def _placed(stacks: _Stacks, links: Iterable[_Link], tops: Mapping[str, int]) -> Mapping[_Spot, int]:
    """The upper edge of each spot. A stack is in the order of what leads to its spots, so that few lines cross."""
    before = defaultdict(list)
    for start, end in links:
        before[end].append(start)
    places: dict[_Spot, int] = {}
    for (_, lane), stack in stacks.items():
        y = tops[lane]
        for spot in sorted(stack, key=lambda spot: _mean(_middle(one, places) for one in before[spot])):
            places[spot] = y
            y += spot.height + ROW_GAP_PX
    return places


def _lines(links: Iterable[_Link], places: Mapping[_Spot, int]) -> Iterator[Line]:
    passed = set()
    for start, end in links:
        x, end_x, end_y = _x(start.column) + BOX_WIDTH_PX, _x(end.column), _middle(end, places)
        yield Line(x, _middle(start, places), end_x, end_y, end.node.is_conditional, has_tip=not end.is_pass)
        if end.is_pass and end not in passed:
            passed.add(end)
            yield Line(end_x, end_y, end_x + BOX_WIDTH_PX, end_y, end.node.is_conditional, has_tip=False)


def _middle(spot: _Spot, places: Mapping[_Spot, int]) -> int:
    return places[spot] + spot.height // 2


def _mean(values: Iterable[int]) -> float:
    return fmean(found) if (found := list(values)) else 0.0


def _x(column: int) -> int:
    return MARGIN_PX + column * (BOX_WIDTH_PX + COLUMN_GAP_PX)
