"""The plan: the steps of one file, the order among them, and the tasks they form. Pure.

A task is the steps of one file and run that wait in the same queue at the same stage. Plans travel whole, in tasks and manifests:
what is in flight ends under the configuration it began with.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.model import LIMITS, File, Json, Limits, Place, Recipe, Run, digest8

#: Stands for the file itself in a condition's `step`.
FILE = "file"
#: The tests of a condition.
TESTS: tuple[str, ...] = ("is", "in", "min", "max")


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of one fact: the `when` of a step. `test` has `is`, `in`, `min` or `max`, or both of the last two.

    `step` is a step before, or `file`. `fact` may name a fact within another: `page.width`.
    """

    step: str
    fact: str
    test: Mapping[str, Any]

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether the fact is there, has a type that the test can compare, and passes it."""
        value = self.value(facts)
        return value is not None and all(_passes(kind, value, right) for kind, right in self.test.items())

    def value(self, facts: Mapping[str, Any]) -> Any:
        """The value of the fact, or None where it is missing."""
        return _find(facts, self.fact)

    def to_json(self) -> Json:
        return {"step": self.step, "fact": self.fact, **self.test}

    @classmethod
    def from_json(cls, value: Json) -> "Condition":
        test = {kind: value[kind] for kind in TESTS if kind in value}
        return cls(value["step"], value["fact"], test)


def _find(facts: Mapping[str, Any], path: str) -> Any:
    if path in facts:
        return facts[path]
    first, _, rest = path.partition(".")
    inner = facts.get(first)
    return _find(inner, rest) if rest and isinstance(inner, Mapping) else None


def _passes(kind: str, value: Any, right: Any) -> bool:
    if kind == "is":
        return _same(value, right)
    if kind == "in":
        return any(_same(value, one) for one in right)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return bool(value >= right if kind == "min" else value <= right)


def _same(value: Any, right: Any) -> bool:
    return isinstance(value, bool) == isinstance(right, bool) and bool(value == right)


def file_facts(file: File) -> Mapping[str, Any]:
    """The facts of the file itself, for conditions: its name, size in bytes, content type and custom metadata."""
    return {"name": file.name, "size": file.size, "content_type": file.content_type, "metadata": file.metadata}


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step of a plan. `attempts` is its queue's number; `fault` says why the file's own options are refused.

    `limits` are those of its sandbox. They are no part of `plan8`: they do not change what a step makes.
    """

    recipe: Recipe
    queue: str
    attempts: int
    after: tuple[str, ...] = ()
    when: Condition | None = None
    fault: str = ""
    limits: Limits = LIMITS

    @property
    def name(self) -> str:
        return self.recipe.step

    def to_json(self) -> Json:
        order = {"after": list(self.after), "when": self.when.to_json() if self.when else None}
        return {
            "recipe": self.recipe.to_json(),
            "queue": self.queue,
            "attempts": self.attempts,
            "fault": self.fault,
            **order,
            "limits": self.limits.to_json(),
        }

    @classmethod
    def from_json(cls, value: Json) -> "PlannedStep":
        when = Condition.from_json(value["when"]) if value.get("when") else None
        recipe, after = Recipe.from_json(value["recipe"]), tuple(value.get("after", ()))
        limits = Limits.from_json(value["limits"]) if "limits" in value else LIMITS
        return cls(recipe, str(value["queue"]), int(value["attempts"]), after, when, value.get("fault", ""), limits)


@dataclass(frozen=True)
class Plan:
    """The steps of one file, each listed after those that it comes after.

    `ignored` names what the file's metadata asks for in vain: unknown steps and options.
    """

    steps: tuple[PlannedStep, ...] = ()
    ignored: tuple[str, ...] = ()

    @functools.cached_property
    def plan8(self) -> str:
        """8 hexadecimal digits of a hash: plans of the same file that differ have different ones."""
        exact = [
            [step.name, step.recipe.recipe_id, step.queue, sorted(step.after), step.when and step.when.to_json(), step.fault]
            for step in sorted(self.steps, key=lambda step: step.name)
        ]
        return digest8(exact)

    @functools.cached_property
    def by_name(self) -> Mapping[str, PlannedStep]:
        """The steps by name."""
        return {step.name: step for step in self.steps}

    @functools.cached_property
    def place_of(self) -> Mapping[str, Place]:
        """The place of the task of each step.

        The stage is 0 after nothing. Else it is the largest, over the steps before, of that step's stage, plus one where its queue
        is another.
        """
        places: dict[str, Place] = {}
        for step in self.steps:
            before = (places[name] for name in step.after)
            stage = max((place.stage + (place.queue != step.queue) for place in before), default=0)
            places[step.name] = Place(stage, step.queue)
        return places

    @functools.cached_property
    def places(self) -> Sequence[Place]:
        """The places of all tasks, by stage and queue."""
        return sorted(set(self.place_of.values()))

    @property
    def first(self) -> Sequence[Place]:
        """The places of the tasks that come after nothing."""
        return [place for place in self.places if place.stage == 0]

    def steps_at(self, place: Place) -> Sequence[PlannedStep]:
        """The steps of one task, in their order."""
        return [step for step in self.steps if self.place_of[step.name] == place]

    def before(self, place: Place) -> Sequence[Place]:
        """The places of the tasks that this one comes after."""
        names = {name for step in self.steps_at(place) for name in step.after}
        return sorted({self.place_of[name] for name in names} - {place})

    def next(self, place: Place) -> Sequence[Place]:
        """The places of the tasks that come after this one."""
        return [later for later in self.places if place in self.before(later)]

    def told_before(self, place: Place) -> set[Place]:
        """The places of the tasks whose notices were published before this one could be queued.

        They are those on the way back while a task comes after one task only: of several, each may still be about to publish.
        """
        found = set()
        while len(before := self.before(place)) == 1:
            place = before[0]
            found.add(place)
        return found

    def to_json(self) -> Json:
        return {"id": self.plan8, "steps": [step.to_json() for step in self.steps], "ignored": list(self.ignored)}

    @classmethod
    def from_json(cls, value: Json) -> "Plan":
        return cls(tuple(PlannedStep.from_json(step) for step in value["steps"]), tuple(value.get("ignored", ())))


@dataclass(frozen=True, slots=True)
class Task:
    """The steps of one file and run that wait in the same queue at the same stage; what Cloud Tasks carries.

    `sweep` is the number of the sweep that queued it again, 0 otherwise. `adopted` has the recipes whose results a later run takes
    from runs before: recipe id → object name of the manifest.
    """

    run: Run
    plan: Plan
    place: Place
    sweep: int = 0
    adopted: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> File:
        return self.run.file

    @property
    def steps(self) -> Sequence[PlannedStep]:
        """The steps of this task, in their order."""
        return self.plan.steps_at(self.place)

    @property
    def queue(self) -> str:
        """The queue that it waits in."""
        return self.place.queue

    @property
    def name(self) -> str:
        """The name in its queue. Each sweep needs another one, because the queue refuses a recent name for hours."""
        name = f"{self.run.job_id}-{self.plan.plan8}-{self.place.stage}"
        return f"{name}-s{self.sweep}" if self.sweep else name

    def to_json(self) -> Json:
        parts: Json = {"file": self.file.to_json(), "run": self.run.number, "plan": self.plan.to_json()}
        place: Json = {"stage": self.place.stage, "queue": self.place.queue, "sweep": self.sweep}
        return parts | place | ({"adopted": dict(self.adopted)} if self.adopted else {})

    @classmethod
    def from_json(cls, value: Json) -> "Task":
        run, place = Run(File.from_json(value["file"]), int(value["run"])), Place(int(value["stage"]), str(value["queue"]))
        task = cls(run, Plan.from_json(value["plan"]), place, int(value["sweep"]), value.get("adopted", {}))
        if place not in task.plan.places:
            raise ValueError(f"the plan has no task {place}")
        return task
