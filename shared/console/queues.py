"""The page of the queues: how much waits in each, and the actions that pause and resume them."""

from typing import Any

from flask import Response

from shared.cloud.protocols import QueueState
from shared.console import rendering
from shared.console.visit import Visit
from shared.errors import BadRequest, NotFound
from shared.operations import queues as operations
from shared.routes import Queue

#: Stands for all queues in an action.
ALL = "*"
_CHANGES = {"pause": operations.pause, "resume": operations.resume}


def page(visit: Visit) -> Response:
    """The whole page: of all queues, or of one with its next tasks. Raises `NotFound`."""
    return rendering.page(visit.request, visit.viewer, "queues.html", **_shown(visit))


def states(visit: Visit) -> Response:
    """Its live part alone. Raises `NotFound`."""
    return rendering.part(visit.request, "queue_states.html", may_act=visit.viewer.may_act, **_shown(visit))


def change(visit: Visit) -> Response:
    """Pause or resume one queue, or all; then show the page again. Raises `BadRequest` and `NotFound`."""
    form = visit.request.form
    kind = next((kind for kind in _CHANGES if form.get(kind)), "")
    if not kind:
        raise BadRequest("the form has neither `pause` nor `resume`; send one of them with the name of a queue")
    name = form[kind]
    _CHANGES[kind](() if name == ALL else (name,), visit.cloud)
    visit.recent.forget()
    here = f"/queues/{name}" if visit.rest == name else "/queues"
    button = f"#change-{'all' if name == ALL else name}"  # takes the focus again
    return Response(status=303, headers={"location": here + button})


def _shown(visit: Visit) -> dict[str, Any]:
    name, every = visit.rest, visit.cloud.routes.queues
    if name and name not in every:
        raise NotFound(f"no queue has this name; the queues are {', '.join(every)}")
    found = visit.recent.get("queues", lambda: operations.states(visit.cloud)).queues
    tasks = visit.recent.get(("tasks", name), lambda: operations.first(name, visit.cloud)) if name else ()
    return {
        "name": name,
        "queues": [_queue(state, every[state.queue]) for state in found if name in ("", state.queue)],
        "paused": [state.queue for state in found if state.is_paused],
        "tasks": tasks,
        "most_tasks": operations.MAX_FIRST,
    }


def _queue(state: QueueState, queue: Queue) -> dict[str, Any]:
    """A queue, with its numbers in pipeline.toml.

    `left_seconds` is the time that the waiting tasks take at the pace of the last minute; 0 where it is unknown.
    """
    waiting = max(0, state.depth - state.running)
    left_seconds = 60 * waiting / state.last_minute if state.last_minute and not state.is_paused else 0
    return {"state": state, "waiting": waiting, "left_seconds": left_seconds, "queue": queue}
