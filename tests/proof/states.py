"""The state at rest, for comparisons of runs."""

from typing import Any

from shared.model import Json
from tests.proof.checks import Checks
from tests.proof.runs import CANCELLED


def summary(checks: Checks) -> dict[str, Any]:
    """How all ended: each job's claim, verdict and steps, the ids of all notices, and the outputs with their bytes."""
    return {
        "claims": {job_id: {**claim, "time": ""} for job_id, claim in checks.runs.claims.items()},
        "verdicts": dict(checks.runs.entries),
        "steps": {job_id: {step["step"]: _shown(step) for step in checks.steps(job_id)} for job_id in checks.files},
        "notices": sorted(checks.notices),
        "objects": _outputs(checks),
    }


def strays(checks: Checks) -> dict[str, bytes | None]:
    """The outputs that no manifest names."""
    named = {output["object"] for step in _all_steps(checks) for output in step["outputs"]}
    return {name: data for name, data in _outputs(checks).items() if name not in named}


def has_cancelled(checks: Checks) -> bool:
    """Whether a step was cancelled."""
    return any(step["reason"] == CANCELLED for step in _all_steps(checks))


def _all_steps(checks: Checks) -> list[Json]:
    return [step for job_id in checks.jobs for step in checks.steps(job_id)]


def _outputs(checks: Checks) -> dict[str, bytes | None]:
    bucket = checks.cloud.results.inner
    return {name: bucket.read(name) for name in bucket.names("files/")}


def _shown(step: Json) -> tuple[Any, ...]:
    return step["verdict"], step["reason"], step["facts"], step["adopted"]
