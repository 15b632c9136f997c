"""The page of the pipeline: its picture, its tables, and the answer to "what would happen to this file?"."""

from flask import Response

from shared import metadata
from shared.console import drawing, graphs, rendering
from shared.console.drawing import Picture
from shared.console.visit import Visit
from shared.errors import BadRequest
from shared.model import Json
from shared.operations import explain
from shared.routes import Routes
from shared.routes.definitions import REQUEST

#: Prices are those of so many files.
PRICED_FILES = 1000
#: Code of a refusal → the field of the form that is wrong.
_FIELDS = {"bad_content_type": "type", "bad_request": "size", "bad_metadata": "steps"}


def page(visit: Visit) -> Response:
    """The whole page. A refused question is answered in the form, with status 400."""
    sent = {field: visit.request.args.get(field, "") for field in ("name", "type", "size")}
    asked = visit.request.args.getlist("steps")
    answer, faults = _answer(visit, sent, asked) if "name" in visit.request.args else (None, {})
    routes = visit.cloud.routes
    return rendering.page(
        visit.request,
        visit.viewer,
        "pipeline.html",
        400 if faults else 200,
        routes=routes,
        plans=[explain.steps(routes.whole_plan([index])) for index in range(len(routes.routes))],
        picture=visit.recent.get("picture", lambda: drawing.picture(graphs.of_routes(routes))),
        on_request=_on_request(routes),
        sent={**sent, "steps": asked},
        faults=faults,
        answer=answer,
        plan=_plan(answer, routes),
        priced_files=PRICED_FILES,
    )


def _answer(visit: Visit, sent: dict[str, str], steps: list[str]) -> tuple[Json | None, dict[str, str]]:
    """The answer of `explain`; or of the refused field, its message."""
    query = {"content_type": sent["type"].strip(), "size": sent["size"].strip()}
    if steps:
        query[metadata.PREFIX + REQUEST] = ",".join(steps)
    try:
        return explain.from_query(sent["name"], query, visit.cloud), {}
    except BadRequest as error:
        return None, {_FIELDS.get(error.code, "name"): error.message}


def _plan(answer: Json | None, routes: Routes) -> Picture | None:
    """The picture of the plan that a file gets."""
    if not answer or answer["message"] or not answer["steps"]:
        return None
    return drawing.picture(graphs.of_plan(answer["object"], answer["steps"], routes))


def _on_request(routes: Routes) -> list[str]:
    """The steps that a file can ask for, in the order of pipeline.toml."""
    return list(dict.fromkeys(name for route in routes.routes if route.on_request for name in route.steps))
