"""`any.scan`: asks clamd whether a file has malware. Nothing is decoded here."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.errors import BadConfiguration, BadFile, ProcessorFailed
from shared.model import Limits
from shared.processors.registry import processor

if TYPE_CHECKING:  # services that only plan do not load the client
    from shared.outside.reach import Reach

#: clamd finds these "signatures" in what it did not scan whole, where its AlertExceedsMax is on.
UNSCANNED = "Heuristics.Limits.Exceeded"
TOO_LARGE = "INSTREAM size limit exceeded"
MAX_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Scan:
    """`any.scan` has no options: clamd has its own."""


def _ready(_options: Scan, reach: "Reach") -> None:
    if reach.clamd is None:
        raise BadConfiguration("any.scan needs clamd; set SLUICE_CLAMD to its host:port, or unix:/path; see docs/scanning.md")


@processor(
    "any.scan",
    version=1,
    options=Scan,
    outputs=lambda _options: (),
    limits=Limits(memory_bytes=16 << 20, seconds=180, output_bytes=1 << 20),
    outside=_ready,
    is_kept=False,
)
def scan(source: Path, _folder: Path, _options: Scan, reach: "Reach") -> Iterator[Mapping[str, Any]]:
    """The facts `clean`, always true, `engine`, `signatures` and `signatures_at`.

    Raises `BadFile` with the reason `infected`, or `not_scanned` where the file exceeds a limit of clamd.
    """
    from shared.outside import clamd

    assert reach.clamd is not None
    versions = facts(clamd.version(reach.clamd, reach))
    check(clamd.scan(source, reach.clamd, reach))
    yield {"clean": True, **versions}


def check(answer: str) -> None:
    """Return for a file that clamd found clean, and only then. Raises `BadFile` and `ProcessorFailed`."""
    if answer == "stream: OK":
        return
    named = answer.removeprefix("stream: ")[:MAX_SHOWN_CHARACTERS]
    found = named.removesuffix(" FOUND")
    if found.startswith(UNSCANNED) or answer.startswith(TOO_LARGE):
        remedy = "raise the limits in clamd.conf, then run the file again"
        raise BadFile(f"it exceeds a limit of clamd, which did not scan all of it ({found}); {remedy}", "not_scanned")
    if found != named:
        raise BadFile(f"clamd found {found}", "infected")
    raise ProcessorFailed(f"clamd answered {named!r}; see its log")


def facts(version: str) -> Mapping[str, Any]:
    """The versions in `ClamAV 1.4.3/27812/Fri Nov 27 09:25:00 2026`; the last two may be missing."""
    engine, *signatures = version[:MAX_SHOWN_CHARACTERS].removeprefix("ClamAV").strip().split("/", 2)
    known: dict[str, Any] = {"engine": engine}
    if signatures and re.fullmatch("[0-9]{1,9}", signatures[0]):
        known["signatures"] = int(signatures[0])
        known |= _time(signatures[1]) if signatures[1:] else {}
    return known


def _time(text: str) -> Mapping[str, str]:
    try:
        built = datetime.strptime(text, "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    except ValueError:
        return {}
    return {"signatures_at": f"{built:%Y-%m-%dT%H:%M:%SZ}"}
