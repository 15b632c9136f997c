"""The control API: `GET` lists the rules, `POST` adds one, `DELETE` ends all.

`DELETE` with `?thaw=<service>` ends the freezes of one service, with `?thaw=` every freeze.
"""

from functools import partial

from localcloud.errors import ApiError
from localcloud.faults.rules import Faults
from localcloud.http import Answer, App, Receive, Request, Scope, Send, asgi_app, json_answer

CONTROL_PATH = "/local/faults"
MAX_BODY_BYTES = 10_000


def with_control(app: App, faults: Faults) -> App:
    """The app, with the control API at `CONTROL_PATH`."""
    control = asgi_app(partial(_answer, faults), _refuse)

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        is_control = scope["type"] == "http" and scope["path"] == CONTROL_PATH
        await (control if is_control else app)(scope, receive, send)

    return wrapped


async def _answer(faults: Faults, request: Request) -> Answer:
    if request.method == "POST":
        _add(faults, await request.json(MAX_BODY_BYTES))
    elif request.method == "DELETE" and "thaw" in request.query:
        faults.thaw(request.query["thaw"])
    elif request.method == "DELETE":
        faults.clear()
    elif request.method != "GET":
        raise ApiError("UNIMPLEMENTED", "GET, POST or DELETE")
    return json_answer(faults.to_json())


def _add(faults: Faults, rule: dict[str, object]) -> None:
    try:
        faults.add(**rule)
    except ValueError as error:
        raise ApiError("INVALID_ARGUMENT", str(error)) from None


def _refuse(_request: Request, error: ApiError) -> Answer:
    return json_answer({"error": error.message}, error.http_code)
