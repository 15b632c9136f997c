"""The results of a plan, computed from its graph alone: no tasks, queues, stages, deliveries or attempts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.model import File
from shared.plan import FILE, Plan, PlannedStep
from tests.proof import scripted


@dataclass(frozen=True)
class Expected:
    """How a step ends: verdict, reason, facts, and the bytes of its outputs by name."""

    verdict: str
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, bytes] = field(default_factory=dict)


def results(plan: Plan, file: File, source: bytes) -> dict[str, Expected]:
    """How every step of a plan ends, by name, where nothing goes wrong but what the scripts say."""
    ended: dict[str, Expected] = {}
    for step in plan.steps:
        ended[step.name] = result(step, file, source, ended)
    return ended


def result(step: PlannedStep, file: File, source: bytes, ended: Mapping[str, Expected]) -> Expected:
    """How a step ends, by how those before it ended."""
    lost = [ended[name] for name in step.after if ended[name].verdict != "succeeded"]
    if lost:
        is_unwanted = all(one.verdict == "skipped" and one.reason in ("when", "after_skipped") for one in lost)
        return Expected("skipped", "after_skipped" if is_unwanted else "after_failed")
    if step.when and not holds(step, file, ended):
        return Expected("skipped", "when")
    if step.fault:
        return Expected("failed", "bad_option")
    maker, _, output = step.recipe.input.partition("/")
    if maker and output not in ended[maker].outputs:
        return Expected("failed", "no_input")
    options, taken = step.recipe.options, ended[maker].outputs[output] if maker else source
    last = options["script"][-1]
    if last == scripted.OK:
        return Expected(
            "succeeded", "", options["facts"], {name: scripted.output(options, name, taken) for name in options["outputs"]}
        )
    return Expected("failed", "scripted") if last == scripted.FAIL else Expected("dead", "attempts_used_up")


def holds(step: PlannedStep, file: File, ended: Mapping[str, Expected]) -> bool:
    """Whether the condition of a step is true."""
    assert step.when
    value: Any = {"size": file.size, "metadata": file.metadata} if step.when.step == FILE else ended[step.when.step].facts
    for key in step.when.fact.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value is not None and all(_passes(kind, value, right) for kind, right in step.when.test.items())


def _passes(kind: str, value: Any, right: Any) -> bool:
    if kind in ("is", "in"):
        return bool(value == right if kind == "is" else value in right)
    return bool(value >= right if kind == "min" else value <= right)


def verdict(ended: Iterable[Expected]) -> str:
    """The verdict of a job by how its steps ended."""
    counted = {
        one.verdict for one in ended if (one.verdict, one.reason) not in (("skipped", "when"), ("skipped", "after_skipped"))
    }
    for sure in ("superseded", "gone"):
        if sure in counted:
            return sure
    if len(counted) > 1 and "succeeded" in counted:
        return "partial"
    return next((one for one in ("succeeded", "dead", "failed", "skipped") if one in counted), "skipped")
