"""The table of a run. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from tests.chaos.checker import Findings
from tests.chaos.run import Outcome
from tests.chaos.sender import notification

#: Violations of a kind that are printed.
SHOWN = 20
#: Without a failure in n trials, 3/n is the upper bound of their rate with 95 % confidence.
RULE_OF_THREE = 3


def table(outcome: Outcome) -> str:
    """One row for each figure."""
    return "\n".join(f"{name:<22} {value}" for name, value in _rows(outcome))


def violations(findings: Findings) -> str:
    """The first violations of each kind."""
    kinds = {"LOST": findings.lost, "CONFLICTING": findings.conflicting, "EARLY": findings.early}
    return "\n".join(f"{kind} {one}" for kind, found in kinds.items() for one in _first(found))


def _rows(outcome: Outcome) -> Iterator[tuple[str, str]]:
    found, entries, ledger = outcome.findings, outcome.ledger.entries, outcome.ledger
    count = len(entries)
    yield "seed", str(outcome.seed)
    yield "files", f"{outcome.files:,}; {count:,} generations were acknowledged"
    yield "  by door", _listed(Counter(one.door for one in entries))
    yield "  by kind", _listed(Counter(one.kind for one in entries))
    yield "  by fate", _listed(Counter(ledger.fate(one) for one in entries))
    yield "  notifications", _listed(Counter(notification(one.name) for one in entries))
    yield "kills", f"{outcome.kills.total():,}: {_listed(outcome.kills)}"
    if outcome.ended:
        yield "ended by themselves", _listed(outcome.ended)
    yield "faults", _listed(outcome.done)
    yield "lost", f"{len(found.lost)}"
    yield "conflicting", f"{len(found.conflicting)}"
    yield "notices before commit", f"{len(found.early)}"
    yield "notices", f"{outcome.different_notices:,}, received {outcome.notices:,} times"
    yield "attempts", f"{outcome.attempts / max(1, count):.2f} requests to a processor for each file"
    yield "time", f"{outcome.run_seconds:.0f} s"
    yield "drain time", f"{outcome.drain_seconds:.1f} s after the last kill"
    if not found:
        yield "95 % bound", f"fewer than {RULE_OF_THREE / max(1, count):.3%} of such files are lost or in conflict: 3/{count}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items(), key=lambda one: -one[1]))


def _first(found: list[str]) -> Iterable[str]:
    yield from found[:SHOWN]
    if len(found) > SHOWN:
        yield f"… and {len(found) - SHOWN:,} more"
