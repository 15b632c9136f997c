"""A run as the page of its file shows it: pictures, bars of times, facts as rows, cost, notices. Pure."""

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared import events
from shared.console import addresses, preview
from shared.findings import Finding, findings, values
from shared.manifest import Job, Manifest
from shared.model import Json
from shared.operations import cost
from shared.operations.prices import Use

#: The marks of a step's times, and the words for the time that leads to each.
MARKS = {"fetched": "read the file", "worked": "worked", "stored": "stored"}
#: Width of a bar in its own units, and the least width of a part that is still seen.
BAR_UNITS, LEAST_UNITS = 1000, 5
MAX_PICTURES = 24
MAX_FACTS = 200
MAX_NAME_CHARACTERS = 200
MAX_MANIFEST_CHARACTERS = 200_000
MEDIA = ("video", "audio")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar: the mark that ends it, its place and width in units, and its seconds."""

    mark: str
    x: int
    width: int
    seconds: float


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice as it was published: its id, type, verdict and time."""

    id: str
    type: str
    verdict: str
    time: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of an output that is a text, and the address of all of it."""

    name: str
    address: str
    text: str
    is_whole: bool


@dataclass(frozen=True, slots=True)
class RunView:
    """A run: its description (`shared.progress`), with what is drawn from it and from its manifests.

    `excerpts` and `waveform`, a path of SVG, are read for the newest run only.
    """

    run: Json
    manifests: Sequence[Manifest]
    excerpts: Sequence[Excerpt] = ()
    waveform: str = ""

    @property
    def is_ended(self) -> bool:
        return self.run["state"] not in ("accepted", "processing")

    @property
    def outputs(self) -> list[Json]:
        """All outputs, each with the address that leads to it."""
        return [output for step in self.run["steps"] for output in self.outputs_of(step)]

    def outputs_of(self, step: Json) -> list[Json]:
        """The outputs of one step, each with the address that leads to it."""
        job_id, name = self.run["job_id"], step["step"]
        return [one | {"address": addresses.of_output(job_id, name, one["name"])} for one in step.get("outputs", ())]

    @property
    def pictures(self) -> list[Json]:
        """The outputs that the page shows as pictures."""
        return [one for one in self.outputs if preview.is_picture(one["content_type"]) and _opens(one)]

    @property
    def page_pictures(self) -> list[Json]:
        """The pictures of pages of a document. Other pictures of such a run are smaller copies of them."""
        return [one for one in self.pictures if "page" in one["facts"]]

    @property
    def findings(self) -> list[Finding]:
        """The findings of its steps, one for each kind of file."""
        return findings(step.get("facts") or {} for step in self.run["steps"])

    @property
    def shown_facts(self) -> frozenset[str]:
        """The names of the facts that the findings show in grids."""
        return frozenset().union(*(one.facts for one in self.findings))

    @property
    def faults(self) -> list[Json]:
        """The steps that failed, or gave up."""
        return [step for step in self.run["steps"] if step.get("verdict") in ("failed", "dead")]

    @property
    def media(self) -> list[Json]:
        """The films and sounds."""
        kinds = [(one, one["content_type"].partition("/")[0]) for one in self.outputs if _opens(one)]
        return [one | {"kind": kind} for one, kind in kinds if kind in MEDIA]

    @property
    def poster(self) -> str:
        """The address of the picture that stands for a film until it is played; empty without one."""
        return self.pictures[0]["address"] if self.pictures else ""

    @property
    def bars(self) -> Mapping[str, Sequence[Part]]:
        """The bar of each step that worked in this run, over the time from its first beginning to its last end."""
        times = {step["step"]: _seconds(step["times"]) for step in self.run["steps"] if _worked(step)}
        begun = min((min(marks.values()) for marks in times.values()), default=0)
        whole = max((max(marks.values()) for marks in times.values()), default=0) - begun
        return {step: list(_parts(marks, begun, whole or 1)) for step, marks in times.items()}

    @property
    def seconds(self) -> float:
        """The time from the beginning of its first step to the end of its last."""
        marks = [mark for step in self.run["steps"] if _worked(step) for mark in _seconds(step["times"]).values()]
        return max(marks) - min(marks) if marks else 0

    @property
    def use(self) -> Use:
        """The billed use of all steps, tasks and the job so far."""
        return cost.total(cost.cost(self.manifests))

    @property
    def told(self) -> list[NoticeRow]:
        """The notices that its manifests make, the job's last."""
        notices = [notice for one in self.manifests for notice in events.step_notices(one)]
        whole = [events.job_notice(Job(self.manifests))] if self.is_ended and self.manifests else []
        named = [notice.attributes for notice in (*notices, *whole)]
        return [NoticeRow(one["ce-id"], one["ce-type"], one["verdict"], one["ce-time"]) for one in named]

    @property
    def texts(self) -> list[str]:
        """The manifests as they are stored, with line breaks."""
        return [json.dumps(one.body, indent=1, ensure_ascii=False)[:MAX_MANIFEST_CHARACTERS] for one in self.manifests]


def facts(found: Mapping[str, Any], left_out: Container[str] = ()) -> list[tuple[str, str]]:
    """Facts as rows of a table, but for those `left_out`: a fact within another has both names, `page.width`."""
    every = {name: value for name, value in found.items() if name not in left_out}
    rows = list(_rows(every, "")) if every else []
    left = len(rows) - MAX_FACTS
    return rows[:MAX_FACTS] + ([("…", f"{left:,} more in the manifest")] if left > 0 else [])


def _rows(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _rows(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        for number, item in enumerate(value, 1):
            yield from _rows(item, f"{path}.{number}")
    else:
        yield values.plain(path[:MAX_NAME_CHARACTERS]), values.shown(value)


def _opens(output: Json) -> bool:
    """Whether a browser can follow the signed link to this output."""
    return not addresses.is_folded(output["object"])


def _worked(step: Json) -> bool:
    return bool(step.get("times")) and not step.get("adopted")


def _seconds(times: Mapping[str, str]) -> dict[str, float]:
    """The marks in their order, in seconds since 1970."""
    return {mark: datetime.fromisoformat(times[mark]).timestamp() for mark in ("begun", *MARKS) if mark in times}


def _parts(marks: Mapping[str, float], begun: float, whole: float) -> Iterator[Part]:
    last = min(marks.values())
    for mark, time in list(marks.items())[1:]:
        x = min(round((last - begun) / whole * BAR_UNITS), BAR_UNITS - LEAST_UNITS)
        width = min(max(round((time - last) / whole * BAR_UNITS), LEAST_UNITS), BAR_UNITS - x)
        yield Part(mark, x, width, time - last)
        last = time
