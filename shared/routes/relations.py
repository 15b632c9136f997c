"""Faults between steps: cycles, inputs that are not made, conditions on steps that do not come before."""

from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from shared.plan import FILE
from shared.routes import order
from shared.routes.faults import Faults, below

#: The facts of the file itself; any key may follow `metadata.`.
FILE_FACTS = ("name", "size", "content_type")


def check(faults: Faults, steps: Mapping[str, Mapping[str, Any]]) -> None:
    """Add the faults between steps whose own values are right."""
    after = {name: step.get("after", ()) for name, step in steps.items()}
    for cycle in order.cycles(after):
        faults.add(f"{below('steps', cycle[0])}.after", f"{' → '.join(cycle)} is a cycle", "leave out one of these")
    before = order.before(after)
    for name, step in steps.items():
        if step.get("input"):
            _check_input(faults, f"{below('steps', name)}.input", step, steps)
        if step.get("when"):
            _check_condition(faults, f"{below('steps', name)}.when", step["when"].step, step["when"].fact, before[name])


def _check_input(faults: Faults, path: str, step: Mapping[str, Any], steps: Mapping[str, Mapping[str, Any]]) -> None:
    maker, _, output = step["input"].partition("/")
    if maker not in step.get("after", ()):
        faults.wrong(path, step["input"], f"write an output of a step in `after`: {_listed(step.get('after', ()))}")
        return
    makes = steps[maker]["processor"].outputs(steps[maker]["options"]) if "processor" in steps[maker] else None
    if makes is not None and not any(fnmatchcase(output, pattern) for pattern in makes):
        faults.add(path, f"{maker} does not make {output!r}", f"write {_listed(f'{maker}/{name}' for name in makes)}")


def _check_condition(faults: Faults, path: str, step: str, fact: str, before: Collection[str]) -> None:
    if step == FILE:
        if fact not in FILE_FACTS and not fact.startswith("metadata."):
            faults.wrong(f"{path}.fact", fact, "write name, size, content_type or metadata.<key>")
    elif step not in before:
        faults.wrong(f"{path}.step", step, f"write a step that comes before: {_listed([*before, FILE])}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
