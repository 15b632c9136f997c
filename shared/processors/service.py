"""`service.call`: sends a file to an HTTP service, and keeps the answer as facts or outputs."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared import origins
from shared.errors import BadConfiguration, BadFile
from shared.model import Limits
from shared.processors.registry import Draft, processor
from shared.processors.service_options import Call

if TYPE_CHECKING:  # services that only plan do not load the client
    from shared.outside.reach import Reach


def _ready(options: Call, found: "Reach") -> None:
    origin = origins.of(options.url)
    if origin not in found.origins:
        raise BadConfiguration(f"service.call may not call {origin}; add it to SLUICE_SERVICE_ORIGINS; see docs/services.md")
    if missing := sorted(set((options.secret_headers or {}).values()) - set(found.secrets or {})):
        raise BadConfiguration(
            f"service.call lacks the secret {missing[0]!r}; add it to SLUICE_SERVICE_SECRETS; see docs/services.md"
        )


def _outputs(options: Call) -> Iterable[str]:
    return {"facts": (), "output": (options.output,), "parts": ("*",)}[options.answer]


@processor(
    "service.call",
    version=1,
    options=Call,
    outputs=_outputs,
    limits=Limits(memory_bytes=32 << 20, seconds=300, output_bytes=128 << 20),
    outside=_ready,
)
def call(source: Path, folder: Path, options: Call, reach: "Reach") -> Iterator[Draft | Mapping[str, Any]]:
    """The answer as facts, as the output that `output` names, or as an output for each part.

    Raises `BadFile` with the reason `refused_by_service` for status 422; every other status than 2xx costs an attempt.
    """
    from shared.outside import answers, calls

    try:
        with calls.answered(source, options, reach) as answer:
            yield from answers.kept(answer, folder, options, reach)
    except calls.Refused as refused:
        raise BadFile(str(refused), "refused_by_service") from None
