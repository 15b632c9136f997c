"""The nouns of the pipeline and their stable ids: frozen, pure, to and from JSON. No decisions live here.

A file is one generation of one object. A recipe is a step made exact. A task applies one recipe to one file; all tasks of a file
are its job. A manifest records the verdict of a task. Fields that a newer release adds to the JSON are ignored, so that a
rollback can read what the newer release wrote.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Verdict = Literal["succeeded", "failed", "dead", "superseded", "gone", "skipped", "partial"]

#: Stands for the recipe id in the manifest of a file that no route takes. Recipe ids end in `-<8 hex>`, so none equals it.
SKIPPED = "skipped"


def file_id(bucket: str, name: str) -> str:
    """The id of an object's name: 26 characters of base32 over a hash of the raw UTF-8, never normalised."""
    digest = hashlib.sha256(b"1\0" + bucket.encode() + b"\0" + name.encode()).digest()
    return base64.b32encode(digest).decode().lower()[:26]


@dataclass(frozen=True, slots=True)
class File:
    """One generation of one object.

    `size` is in bytes; `crc32c` is base64 of four big-endian bytes, as Cloud Storage writes it.
    """

    bucket: str
    name: str
    generation: int
    size: int
    content_type: str
    crc32c: str

    @property
    def file_id(self) -> str:
        return file_id(self.bucket, self.name)

    @property
    def job_id(self) -> str:
        return f"{self.file_id}-{self.generation}"

    def to_json(self) -> Json:
        return asdict(self) | {"generation": str(self.generation)}

    @classmethod
    def from_json(cls, value: Json) -> "File":
        size, generation = int(value["size"]), int(value["generation"])
        return cls(value["bucket"], value["name"], generation, size, value["content_type"], value["crc32c"])


@dataclass(frozen=True, slots=True)
class Recipe:
    """A step made exact. Recipes with the same id do the same work."""

    step: str
    processor: str
    version: int
    options: Mapping[str, Any]

    @property
    def recipe_id(self) -> str:
        exact = json.dumps([self.processor, self.version, self.options], sort_keys=True, separators=(",", ":"))
        return f"{self.step}-{hashlib.sha256(exact.encode()).hexdigest()[:8]}"

    def to_json(self) -> Json:
        return asdict(self) | {"recipe_id": self.recipe_id}

    @classmethod
    def from_json(cls, value: Json) -> "Recipe":
        return cls(value["step"], value["processor"], value["version"], value["options"])


@dataclass(frozen=True, slots=True)
class Task:
    """One recipe applied to one file, with the configuration it was planned under.

    `siblings` are the recipe ids of the whole job, this one included. `redrive` counts how often an operator queued it again.
    """

    file: File
    recipe: Recipe
    queue: str
    attempts: int
    siblings: tuple[str, ...]
    redrive: int = 0

    @property
    def task_id(self) -> str:
        """The id in manifests and notices; every re-drive has the same."""
        return f"{self.file.job_id}-{self.recipe.recipe_id}"

    @property
    def queue_name(self) -> str:
        """The name in the queue. A re-drive needs another one, because the queue refuses a recent name for hours."""
        return f"{self.task_id}-r{self.redrive}" if self.redrive else self.task_id

    def to_json(self) -> Json:
        parts = {"file": self.file.to_json(), "recipe": self.recipe.to_json(), "siblings": list(self.siblings)}
        return parts | {"queue": self.queue, "attempts": self.attempts, "redrive": self.redrive}

    @classmethod
    def from_json(cls, value: Json) -> "Task":
        file, recipe = File.from_json(value["file"]), Recipe.from_json(value["recipe"])
        siblings = tuple(str(sibling) for sibling in value["siblings"])
        return cls(file, recipe, str(value["queue"]), int(value["attempts"]), siblings, int(value["redrive"]))


@dataclass(frozen=True, slots=True)
class Output:
    """An object in the results bucket. `size` is in bytes; `facts` are the processor's findings, such as `width_px`."""

    name: str
    object: str
    content_type: str
    size: int
    crc32c: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> Json:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Json) -> "Output":
        facts = value.get("facts", {})
        return cls(value["name"], value["object"], value["content_type"], int(value["size"]), value["crc32c"], facts)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The verdict of a task. `recipe` is None for a file that no route takes. `time` is RFC 3339 in UTC."""

    file: File
    recipe: Recipe | None
    siblings: tuple[str, ...]
    verdict: Verdict
    time: str
    attempt: int = 0
    reason: str = ""
    message: str = ""
    outputs: tuple[Output, ...] = ()

    @property
    def recipe_id(self) -> str:
        return self.recipe.recipe_id if self.recipe else SKIPPED

    @property
    def task_id(self) -> str:
        return f"{self.file.job_id}-{self.recipe_id}"

    def to_json(self) -> Json:
        return {
            "task_id": self.task_id,
            "job_id": self.file.job_id,
            "file_id": self.file.file_id,
            "step": self.recipe.step if self.recipe else "",
            "verdict": self.verdict,
            "reason": self.reason,
            "message": self.message,
            "time": self.time,
            "attempt": self.attempt,
            "outputs": [output.to_json() for output in self.outputs],
            "file": self.file.to_json(),
            "recipe": self.recipe.to_json() if self.recipe else None,
            "siblings": list(self.siblings),
        }

    @classmethod
    def from_json(cls, value: Json) -> "Manifest":
        return cls(
            file=File.from_json(value["file"]),
            recipe=Recipe.from_json(value["recipe"]) if value["recipe"] else None,
            siblings=tuple(value["siblings"]),
            verdict=value["verdict"],
            time=value["time"],
            attempt=value["attempt"],
            reason=value["reason"],
            message=value["message"],
            outputs=tuple(Output.from_json(output) for output in value["outputs"]),
        )


@dataclass(frozen=True, slots=True)
class Job:
    """The manifests of all tasks of one file."""

    file: File
    steps: tuple[Manifest, ...]

    @property
    def verdict(self) -> Verdict:
        """The steps' common verdict; else `partial` if any succeeded; else the worst, with our faults before the file's."""
        verdicts = {step.verdict for step in self.steps}
        if len(verdicts) == 1:
            return verdicts.pop()
        if "succeeded" in verdicts:
            return "partial"
        order: tuple[Verdict, ...] = ("dead", "failed", "superseded", "gone", "skipped")
        return next(verdict for verdict in order if verdict in verdicts)

    @property
    def time(self) -> str:
        """The time of the latest verdict."""
        return max(step.time for step in self.steps)

    def to_json(self) -> Json:
        steps = sorted((step.to_json() for step in self.steps), key=lambda step: str(step["task_id"]))
        of_the_job = {"file", "file_id", "job_id"}
        return {
            "job_id": self.file.job_id,
            "file_id": self.file.file_id,
            "verdict": self.verdict,
            "time": self.time,
            "file": self.file.to_json(),
            "steps": [{key: step[key] for key in step if key not in of_the_job} for step in steps],
        }


def canonical(value: Json) -> bytes:
    """JSON with sorted keys and no spaces: equal values give equal bytes, also when they are published again."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode(errors="backslashreplace")  # writes a lone surrogate as JSON escapes it: `\udcff`
