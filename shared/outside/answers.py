"""From an answer to facts, to one output, or to an output for each of its parts."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from shared import media
from shared.errors import BadFile, ProcessorFailed
from shared.outside.calls import NO_CONTENT, Answer
from shared.outside.outputs import stated, written
from shared.outside.reach import Reach
from shared.processors.registry import Draft
from shared.processors.service_options import Call

#: Facts of over 64 KiB become the output `facts.json`; this many bytes take about ten times as much memory while they are read.
MAX_FACTS_BYTES = 1 << 20
#: Levels of facts that every reader of JSON takes.
MAX_LEVELS = 60


def kept(answer: Answer, folder: Path, options: Call, reach: Reach) -> Iterator[Draft | Mapping[str, Any]]:
    """The answer as facts, an output or parts, as the options say.

    Raises `BadFile` with the reasons `no_output`, for an empty answer, and `limit_output`; `ProcessorFailed` for answers of another
    kind.
    """
    if answer.status == NO_CONTENT:
        raise BadFile("the service answered 204, that is nothing, to this file", "no_output")
    if options.answer == "facts":
        yield facts(answer, reach)
    elif options.answer == "output":
        path = folder / "output"
        if not written(answer.blocks, path, reach.limits.output_bytes, reach):
            raise BadFile("the service answered no bytes to this file", "no_output")
        yield Draft(options.output, options.output_type or stated(answer.content_type), path)
    else:
        from shared.outside import parts  # on first use: with it comes Werkzeug

        yield from parts.kept(answer, folder, reach)


def facts(answer: Answer, reach: Reach) -> Mapping[str, Any]:
    """The JSON object of the answer."""
    held = bytearray()
    for block in answer.blocks:
        held += block
        if len(held) > MAX_FACTS_BYTES:
            raise BadFile(f"the service answered more than {MAX_FACTS_BYTES:,} bytes of facts, the limit", "limit_output")
    reach.left()
    try:
        found = json.loads(held, parse_constant=_refuse)
        is_right = isinstance(found, dict) and _levels(found) <= MAX_LEVELS
    except (ValueError, RecursionError):
        is_right = False
    if not is_right:
        kind = media.essence(answer.content_type)[:100] or "no content type"
        problem = f"the service answered no JSON object of at most {MAX_LEVELS} levels, but {len(held):,} bytes of {kind!r}"
        raise ProcessorFailed(f'{problem}; write answer = "output" to keep any answer')
    if not found:
        raise BadFile("the service answered no facts to this file", "no_output")
    return dict(found)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _levels(value: Any) -> int:
    inner: Iterable[Any] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_levels, inner), default=0) if isinstance(value, (dict, list)) else 0
