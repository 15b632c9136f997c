"""The control of faults: `GET` lists the rules, `POST` adds one, `DELETE` ends all.

`DELETE` with `?thaw=<service>` ends the freezes of one service, with `?thaw=` every freeze.
"""

from localcloud.control import Control
from localcloud.errors import ApiError
from localcloud.faults.rules import Faults
from localcloud.http import Answer, Request, json_answer

FAULTS_PATH = "/local/faults"
MAX_BODY_BYTES = 10_000


def faults_control(faults: Faults) -> Control:
    """The control at `FAULTS_PATH`."""

    async def answer(request: Request) -> Answer:
        if request.method == "POST":
            _add(faults, await request.json(MAX_BODY_BYTES))
        elif request.method == "DELETE" and "thaw" in request.query:
            faults.thaw(request.query["thaw"])
        elif request.method == "DELETE":
            faults.clear()
        elif request.method != "GET":
            raise ApiError("UNIMPLEMENTED", "GET, POST or DELETE")
        return json_answer(faults.to_json())

    return answer


def _add(faults: Faults, rule: dict[str, object]) -> None:
    try:
        faults.add(**rule)
    except ValueError as error:
        raise ApiError("INVALID_ARGUMENT", str(error)) from None
