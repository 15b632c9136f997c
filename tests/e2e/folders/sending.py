"""A file to be copied, and how it should end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Notices
from tests.machine import Machine

SUCCEEDED, PARTIAL = "succeeded", "partial"


@dataclass(frozen=True, slots=True)
class Sent:
    """A file, the verdict of its job, and of one of its steps the reason and some facts."""

    name: str
    data: bytes
    step: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    verdict: str = SUCCEEDED
    reason: str = ""


def differences(sent: Sent, job: dict[str, Any]) -> list[str]:
    """Facts, verdict and reason of a job that are not those of the table."""
    step: dict[str, Any] = next((one for one in job["steps"] if one["step"] == sent.step), {})
    facts = step.get("facts", {})
    found = {
        "verdict": job["verdict"],
        "reason": step.get("reason", "no such step"),
        **{key: facts.get(key) for key in sent.facts},
    }
    wanted = {"verdict": sent.verdict, "reason": sent.reason, **sent.facts}
    return [f"{key} {found[key]!r}; wanted {wanted[key]!r}" for key in wanted if found[key] != wanted[key]]


def copied(
    sent: Sequence[Sent], folder: Path, machine: Machine, notices: Notices, program: Callable[[str], str]
) -> dict[str, list[str]]:
    """Copy all files as one folder with gsutil; the differences of those that ended otherwise than wanted."""
    for one in sent:
        path = folder / one.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.data)
    machine.run(program("gsutil"), "-m", "cp", "-r", str(folder), "gs://uploads")
    faults = {one.name: differences(one, notices.job(f"{folder.name}/{one.name}")) for one in sent}
    return {name: found for name, found in faults.items() if found}
