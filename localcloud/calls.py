"""Counts of the served calls. `GET /local/calls` lists them; `DELETE` lists them and starts again at 0."""

import argparse
from collections import Counter
from collections.abc import Mapping
from typing import Any

from localcloud.control import Control, ask
from localcloud.errors import ApiError
from localcloud.http import Answer, Request, json_answer

CALLS_PATH = "/local/calls"

#: (operation, place) → number. Operations have the names of README.md's table; there are also `push` and `dispatch`.
#: The place is a bucket, the full name of a topic, subscription or queue, or empty.
Calls = Counter[tuple[str, str]]


def calls_control(services: Mapping[str, Calls]) -> Control:
    """The control at `CALLS_PATH` over the counts of each service."""

    async def answer(request: Request) -> Answer:
        if request.method not in {"GET", "DELETE"}:
            raise ApiError("UNIMPLEMENTED", "GET or DELETE")
        listed = [_row(service, *key, number) for service, calls in services.items() for key, number in sorted(calls.items())]
        if request.method == "DELETE":
            for calls in services.values():
                calls.clear()
        return json_answer(listed)

    return answer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The option of the command."""
    parser.add_argument("--reset", action="store_true", help="start again at 0 after printing")


def calls(options: argparse.Namespace) -> int:
    """Print the counts of the running local cloud. Raises SystemExit with a message when it does not run."""
    rows = ask("DELETE" if options.reset else "GET", CALLS_PATH, options)
    for row in rows:
        print(f"{row['calls']:>8}  {row['service']:<8} {row['operation']:<28} {row['place']}".rstrip())
    if not rows:
        print("no call was served")
    return 0


def _row(service: str, operation: str, place: str, number: int) -> dict[str, Any]:
    return {"service": service, "operation": operation, "place": place, "calls": number}
