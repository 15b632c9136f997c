"""The nouns of the pipeline and their stable ids: frozen, pure, to and from JSON. `plan.py` has the plan.

A file is one generation of one object. A recipe is a step made exact. A result says how a step ended. A manifest is the JSON
object that commits the results of a task. Fields that a newer release adds to the JSON are ignored here and kept in manifests, so
that a rollback can read what the newer release wrote, and publish the same notices.
"""

import base64
import functools
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Json = dict[str, Any]
Verdict = Literal["succeeded", "failed", "dead", "superseded", "gone", "skipped", "partial"]


@functools.lru_cache(256)  # a delivery needs it for each object's name
def file_id(bucket: str, name: str) -> str:
    """The id of an object's name: 26 characters of base32 over a hash of the raw UTF-8, never normalised."""
    digest = hashlib.sha256(b"1\0" + bucket.encode() + b"\0" + name.encode()).digest()
    return base64.b32encode(digest).decode().lower()[:26]


@dataclass(frozen=True, slots=True)
class File:
    """One generation of one object.

    `size` is in bytes; `crc32c` is base64 of four big-endian bytes, as Cloud Storage writes it; `metadata` is the object's custom
    metadata.
    """

    bucket: str
    name: str
    generation: int
    size: int
    content_type: str
    crc32c: str
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def file_id(self) -> str:
        return file_id(self.bucket, self.name)

    def to_json(self) -> Json:
        return _fields(self) | {"generation": str(self.generation)}

    @classmethod
    def from_json(cls, value: Json) -> "File":
        size, generation, metadata = int(value["size"]), int(value["generation"]), dict(value.get("metadata", {}))
        return cls(value["bucket"], value["name"], generation, size, value["content_type"], value["crc32c"], metadata)


class Run(NamedTuple):
    """One pass of a plan over a file: run 0 by its upload, later ones by an operator."""

    file: File
    number: int = 0

    @property
    def job_id(self) -> str:
        """`<file_id>-<generation>`, with `-r<number>` from run 1 on."""
        first = f"{self.file.file_id}-{self.file.generation}"
        return f"{first}-r{self.number}" if self.number else first


class Place(NamedTuple):
    """The place of a task in its plan: all steps of the same stage and queue are one task."""

    stage: int
    queue: str

    def __str__(self) -> str:
        return f"{self.stage}-{self.queue}"


@dataclass(frozen=True, slots=True)
class Recipe:
    """A step made exact. Recipes with the same id make the same from the same file.

    `input` is `<step>/<output>`, or empty for the original file; `made_by` is the recipe id of that step. `cache_control` is that
    of the outputs' objects; with `copy_metadata`, they have the file's custom metadata. `recipe()` makes one.
    """

    step: str
    processor: str
    version: int
    options: Mapping[str, Any]
    recipe_id: str
    input: str = ""
    made_by: str = ""
    cache_control: str = ""
    copy_metadata: bool = False

    def to_json(self) -> Json:
        fields = _fields(self)  # most recipes have neither of the last two, and every manifest and task repeats them
        return {name: value for name, value in fields.items() if value or name not in ("cache_control", "copy_metadata")}

    @classmethod
    def from_json(cls, value: Json) -> "Recipe":
        made_from = value.get("input", ""), value.get("made_by", "")
        stored_with = value.get("cache_control", ""), value.get("copy_metadata", False)
        step, processor, version = value["step"], value["processor"], value["version"]
        return cls(step, processor, version, value["options"], value["recipe_id"], *made_from, *stored_with)


def recipe(
    step: str,
    processor: str,
    version: int,
    options: Mapping[str, Any],
    *,
    input: str = "",  # noqa: A002  (its key in pipeline.toml)
    made_by: str = "",
    cache_control: str = "",
    copy_metadata: bool = False,
) -> Recipe:
    """The recipe with its id: the step's name and 8 hexadecimal digits of a hash over everything else."""
    stored_with = [cache_control, copy_metadata] if cache_control or copy_metadata else []
    exact = [processor, version, options, input or None, made_by or None, *stored_with]
    recipe_id = f"{step}-{digest8(exact)}"
    return Recipe(step, processor, version, options, recipe_id, input, made_by, cache_control, copy_metadata)


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one run of a step may take: memory, wall time, and the bytes of all its outputs together."""

    memory_bytes: int
    seconds: int
    output_bytes: int

    def to_json(self) -> Json:
        return _fields(self)

    @classmethod
    def from_json(cls, value: Json) -> "Limits":
        return cls(int(value["memory_bytes"]), int(value["seconds"]), int(value["output_bytes"]))


#: The limits of a step that states none.
LIMITS = Limits(memory_bytes=512 << 20, seconds=60, output_bytes=64 << 20)


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
        return _fields(self)

    @classmethod
    def from_json(cls, value: Json) -> "Output":
        facts = value.get("facts", {})
        return cls(value["name"], value["object"], value["content_type"], int(value["size"]), value["crc32c"], facts)


@dataclass(frozen=True, slots=True)
class Result:
    """How a step ended.

    `facts` are what it found out. `times` are RFC 3339 in UTC: `begun`, `fetched` (its input was on disk), `worked`, `stored`.
    `cost` has `cpu_seconds`, `peak_bytes` (of memory), `bytes_in` and `bytes_out`. A step that did not run has neither times nor
    cost. `adopted` is the id of the job, an earlier run's, from which the result was taken.
    """

    step: str
    recipe_id: str
    verdict: Verdict
    reason: str = ""
    message: str = ""
    attempt: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[Output, ...] = ()
    times: Mapping[str, str] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)
    adopted: str = ""

    def to_json(self) -> Json:
        return _fields(self) | {"outputs": [output.to_json() for output in self.outputs]}

    @classmethod
    def from_json(cls, value: Json) -> "Result":
        return cls(
            step=value["step"],
            recipe_id=value["recipe_id"],
            verdict=value["verdict"],
            reason=value.get("reason", ""),
            message=value.get("message", ""),
            attempt=value.get("attempt", 0),
            facts=value.get("facts", {}),
            outputs=tuple(Output.from_json(output) for output in value.get("outputs", ())),
            times=value.get("times", {}),
            cost=value.get("cost", {}),
            adopted=value.get("adopted", ""),
        )


def _fields(value: Any) -> Json:
    """The fields by name. `dataclasses.asdict` also copies their values: 4 % of the CPU time of a small picture."""
    return {name: getattr(value, name) for name in value.__slots__}


def digest8(value: Any) -> str:
    """8 hexadecimal digits of the SHA-256 over the value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def canonical(value: Json) -> bytes:
    """JSON with sorted keys and no spaces: equal values give equal bytes, also when they are published again."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode(errors="backslashreplace")  # writes a lone surrogate as JSON escapes it: `\udcff`


def within(entries: Iterable[Json], most_bytes: int) -> Iterator[Json]:
    """The first entries whose JSON has at most so many bytes together."""
    for entry in entries:
        most_bytes -= len(canonical(entry)) + 1
        if most_bytes < 0:
            return
        yield entry
