"""pipeline.toml, or the plan of one file, as a graph: its sources, its steps, and a lane for each queue. Pure."""

import unicodedata
from collections.abc import Iterator, Sequence

from shared.console import words
from shared.console.drawing import Graph, Node
from shared.model import Json
from shared.operations import explain
from shared.routes import Route, Routes

#: Width of the text in a box, in Latin letters.
MAX_LETTERS = 25


def of_routes(routes: Routes) -> Graph:
    """Every route with its steps. A step that routes send to different queues has a box in each."""
    sources = [_source(number, route) for number, route in enumerate(routes.routes, 1)]
    plans = [explain.steps(routes.whole_plan([index])) for index in range(len(routes.routes))]
    order = list(routes.steps)
    steps = {_key(step): step for plan in plans for step in plan}
    listed = sorted(steps.values(), key=lambda step: (order.index(step["step"]), step["queue"]))
    arrows = [
        arrow
        for source, route, plan in zip(sources, routes.routes, plans, strict=True)
        for arrow in (*_from_source(source, plan, route.steps), *_between(plan))
    ]
    return _graph(sources, listed, arrows, routes)


def of_plan(name: str, steps: Sequence[Json], routes: Routes) -> Graph:
    """A file with the steps of its plan, as `explain` answers them."""
    source = Node("file", (shortened(name),))
    return _graph([source], steps, [*_from_source(source, steps, ()), *_between(steps)], routes)


def shortened(text: str) -> str:
    """As much of a text as fits into a box. East Asian letters are twice as wide as Latin ones."""
    width, shown = 0, ""
    for letter in text:
        width += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if width > MAX_LETTERS:
            return f"{shown[:-1]}…"
        shown += letter
    return shown


def _graph(sources: Sequence[Node], steps: Sequence[Json], arrows: Sequence[tuple[str, str]], routes: Routes) -> Graph:
    used, pools = {step["queue"] for step in steps}, list(routes.pools)
    queues = [queue for queue in routes.queues.values() if queue.name in used]
    lanes = {
        queue.name: f"queue {queue.name} · pool {queue.pool}"
        for queue in sorted(queues, key=lambda queue: pools.index(queue.pool))
    }
    return Graph([*sources, *map(_step, steps)], list(dict.fromkeys(arrows)), lanes)


def _source(number: int, route: Route) -> Node:
    first, *others = route.content_types
    lines = [f"Route {number}", f"{first}, {len(others)} more" if others else first]
    if "**" not in route.names:
        lines.append(", ".join(route.names))
    if route.metadata:  # its values are the operator's
        lines.append(f"metadata {', '.join(route.metadata)}")
    if route.max_bytes:
        lines.append(f"at most {words.size(route.max_bytes)}")
    if route.on_request:
        lines.append("on request")
    return Node(f"route {number}", tuple(map(shortened, lines)), is_on_request=route.on_request)


def _step(step: Json) -> Node:
    lines = [step["step"], step["processor"], *([f"if {step['when']}"] if step["when"] else [])]
    return Node(_key(step), tuple(map(shortened, lines)), step["queue"], is_conditional=bool(step["when"]))


def _from_source(source: Node, steps: Sequence[Json], listed: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Arrows to the steps that come first, and to those that a route names and that come after none that it names."""
    for step in steps:
        if not step["after"] or (step["step"] in listed and not set(step["after"]) & set(listed)):
            yield source.key, _key(step)


def _between(steps: Sequence[Json]) -> Iterator[tuple[str, str]]:
    by_name = {step["step"]: step for step in steps}
    for step in steps:
        yield from ((_key(by_name[name]), _key(step)) for name in step["after"])


def _key(step: Json) -> str:
    return f"{step['step']} in {step['queue']}"
