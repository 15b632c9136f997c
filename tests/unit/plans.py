"""Plans made by hand, of steps whose processor follows the test's script."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from shared.model import File, Place, Run, recipe
from shared.plan import Condition, Plan, PlannedStep, Task
from shared.processors import Draft

CAT = File("uploads", "cat.jpg", 1700000000000001, 1234, "image/jpeg", "AAAAAA==")
SCRIPTED = "test.scripted"


@dataclass(frozen=True, slots=True)
class ScriptedOptions:
    """The options of the scripted processor: the step that uses it, and anything that makes another recipe."""

    step: str
    flavour: str = ""


@dataclass
class Script:
    """The behaviour of each step. By default it makes `1.txt`, with its own name and its input, and finds no facts."""

    #: by step: an error that each attempt raises
    raises: dict[str, BaseException] = field(default_factory=dict)
    facts: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    #: by step: the names of its outputs
    outputs: dict[str, list[str]] = field(default_factory=dict)
    #: the step of each attempt, in order
    worked: list[str] = field(default_factory=list)

    def work(self, source: Path, folder: Path, options: ScriptedOptions) -> Iterator[Draft | Mapping[str, Any]]:
        self.worked.append(options.step)
        if options.step in self.raises:
            raise self.raises[options.step]
        for name in self.outputs.get(options.step, ["1.txt"]):
            path = folder / name
            path.write_text(f"{options.step}{options.flavour}({source.read_text()})")
            yield Draft(name, "text/plain", path)
        if options.step in self.facts:
            yield self.facts[options.step]


def step(
    name: str,
    queue: str = "q1",
    *,
    after: tuple[str, ...] = (),
    input: str = "",  # noqa: A002  (its key in pipeline.toml)
    when: Condition | None = None,
    attempts: int = 3,
    fault: str = "",
    flavour: str = "",
) -> PlannedStep:
    """A planned step of the scripted processor; `plan` completes the recipe of one that has an input."""
    made = recipe(name, SCRIPTED, 1, {"step": name, "flavour": flavour}, input=input)
    return PlannedStep(made, queue, attempts, after, when, fault)


def plan(*steps: PlannedStep) -> Plan:
    """The plan of these steps, each listed after those that it comes after."""
    whole: dict[str, PlannedStep] = {}
    for one in steps:
        exact = one.recipe
        maker = whole.get(exact.input.partition("/")[0])
        if maker:
            made_by = maker.recipe.recipe_id
            exact = recipe(exact.step, exact.processor, exact.version, exact.options, input=exact.input, made_by=made_by)
        whole[one.name] = replace(one, recipe=exact)
    return Plan(tuple(whole.values()))


def chain() -> Plan:
    """Two tasks, one after the other."""
    return plan(step("a", "q1"), step("b", "q2", after=("a",), input="a/1.txt"))


def join() -> Plan:
    """Two first tasks, and a third that comes after both."""
    return plan(step("a", "q1"), step("b", "q2"), step("c", "q3", after=("a", "b"), input="a/1.txt"))


def diamond() -> Plan:
    """One first task, two that come after it, and a fourth in the queue of the first that comes after both."""
    return plan(
        step("a", "q1"), step("b", "q2", after=("a",)), step("c", "q3", after=("a",)), step("d", "q1", after=("b", "c"))
    )


def task(steps: Plan, place: Place | None = None, *, file: File = CAT, run: int = 0, sweep: int = 0) -> Task:
    """The task at this place, or else the first of the plan."""
    return Task(Run(file, run), steps, place or steps.places[0], sweep)
