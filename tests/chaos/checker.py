"""The checker: holds the evidence against the ledger of acknowledged uploads. No I/O.

It reads names and JSON by itself, as docs/notices.md and docs/architecture.md describe them, and imports nothing of Sluice: a
mistake of Sluice's own code must not hide itself.
"""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chaos import contents
from tests.chaos.evidence import Evidence, Stored, grouped
from tests.chaos.ledger import Entry, Ledger, crc32c

Json = Mapping[str, Any]
#: Fate of a generation → the verdict that is allowed beside that of its kind.
ENDS = {"kept": "", "overwritten": "superseded", "deleted": "gone"}
#: 10^16 − generation sorts the newest first.
DIGITS = 10**16


@dataclass
class Findings:
    """The violations, each as a sentence."""

    lost: list[str] = field(default_factory=list)
    conflicting: list[str] = field(default_factory=list)
    early: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.lost or self.conflicting or self.early)


def check(ledger: Ledger, evidence: Evidence, posted_verdict: str = "") -> Findings:
    """All violations. Jobs with the verdict `posted_verdict` must have been posted to the webhook too."""
    found = Findings()
    for entry in ledger.entries:
        job = _Job(entry, ledger.fate(entry), evidence, posted_verdict)
        found.lost += job.sentence(job.lost())
        found.conflicting += job.sentence(job.conflicting())
        found.early += job.sentence(job.early())
    found.conflicting += _rewritten(evidence.stored)
    known = {job_id(entry) for entry in ledger.entries}
    told = evidence.notices.keys() | evidence.posts.keys()
    strange = (evidence.entries.keys() | evidence.manifests.keys() | told) - known
    found.conflicting += [f"{one}: a job of no acknowledged upload" for one in sorted(strange)]
    return found


def job_id(entry: Entry) -> str:
    """The id of the first run of a generation."""
    digest = hashlib.sha256(f"1\0uploads\0{entry.name}".encode()).digest()
    return f"{base64.b32encode(digest).decode().lower()[:26]}-{entry.generation}"


class _Job:
    """All that belongs to one acknowledged generation."""

    def __init__(self, entry: Entry, fate: str, evidence: Evidence, posted_verdict: str) -> None:
        self.id = job_id(entry)
        self._entry = entry
        self._fate = fate
        self._evidence = evidence
        self._posted_verdict = posted_verdict
        objects = evidence.manifests.get(self.id, [])
        self._bodies = [body for _, body in objects]
        self._manifests = [(stored, body) for stored, body in objects if body["kind"] == "manifest"]
        self._steps = [(stored, step) for stored, body in self._manifests for step in body["steps"]]
        self._ends = evidence.entries.get(self.id, [])
        self._notices = grouped((one.id, one) for one in evidence.notices.get(self.id, []))
        self._verdicts = {one.name.split("/")[1] for one in self._ends}

    def lost(self) -> Iterator[str]:
        """Missing parts, and a verdict that must not be."""
        allowed = {"failed" if self._entry.kind in contents.POISON else "succeeded", ENDS[self._fate]}
        if not self._ends:
            yield "no index entry"
        for verdict in self._verdicts - allowed:
            yield f"ended {verdict}, which a file that was {self._fate} must not"
        results = {step["recipe_id"] for _, step in self._steps}
        planned = {step["recipe"]["recipe_id"] for body in self._bodies[:1] for step in body["plan"]["steps"]}
        for recipe_id in planned - results or (() if planned else {"any step"}):
            yield f"no manifest with a result of {recipe_id}"
        for identity in {self.id, *self._ids} - self._notices.keys():
            yield f"no notice {identity}"
        if self._posted_verdict in self._verdicts and self.id not in self._evidence.posts:
            yield "no post to the webhook"

    def conflicting(self) -> Iterator[str]:
        """Parts that differ from each other, or belong to another file."""
        yield from (*self._wrong_ends(), *self._wrong_manifests(), *self._wrong_notices(), *self._wrong_posts())
        for _, step in self._steps:
            yield from self._wrong_result(step)
            yield from self._wrong_outputs(step)

    def early(self) -> Iterator[str]:
        """Notices before their manifests, and an index entry before the notices. Messages have times in milliseconds."""
        committed = {f"{self.id}-{step['recipe_id']}": stored.created for stored, step in self._steps}
        committed[self.id] = max(committed.values(), default=0.0)
        first = {identity: min(one.published for one in same) for identity, same in self._notices.items()}
        for identity in first.keys() & committed.keys():
            if first[identity] < _milliseconds(committed[identity]):
                yield f"notice {identity} was published before its manifest"
        for end in self._ends:
            for identity in {identity for identity, time in first.items() if end.created < _milliseconds(time)}:
                yield f"the index entry was written before notice {identity}"

    def _wrong_ends(self) -> Iterator[str]:
        for end in self._ends:
            if f"/{DIGITS - self._entry.generation:016d}-" not in end.name:
                yield f"the index entry {end.name} has the digits of another generation"

    def _wrong_manifests(self) -> Iterator[str]:
        if len({json.dumps(body["plan"], sort_keys=True) for body in self._bodies}) > 1:
            yield "two plans"
        yield from (f"{count} results of {identity}" for identity, count in Counter(self._ids).items() if count > 1)
        for body in self._bodies:
            file = body["job"]["file"]
            if _described(file) != self._file:
                yield f"a manifest of the file {file}"

    def _wrong_notices(self) -> Iterator[str]:
        steps = {f"{self.id}-{step['recipe_id']}": step for _, step in self._steps}
        for identity, same in self._notices.items():
            body = json.loads(same[0].data)
            if len({(one.data, *sorted(one.attributes.items())) for one in same}) > 1:
                yield f"notices {identity} differ"
            if _described(body["file"]) != self._file:
                yield f"notice {identity} of the file {body['file']}"
            if same[0].attributes["verdict"] != body["verdict"]:
                yield f"notice {identity} says {body['verdict']}, its attribute {same[0].attributes['verdict']}"
            if identity == self.id:
                yield from self._wrong_job_notice(body)
            elif identity not in steps:
                yield f"notice {identity} of no manifest"
            elif not steps[identity].items() <= body.items():
                yield f"notice {identity} says other than its manifest"

    def _wrong_posts(self) -> Iterator[str]:
        posts = set(self._evidence.posts.get(self.id, ()))
        if len(posts) > 1:
            yield "posts to the webhook differ"
        told = [json.loads(one.data) for one in self._notices.get(self.id, ())]
        for data in (json.loads(post)["data"] for post in posts):
            if data["verdict"] != self._posted_verdict:
                yield f"a post to the webhook says {data['verdict']}"
            if told and data not in told:
                yield "a post to the webhook says other than the notice"

    def _wrong_job_notice(self, body: Json) -> Iterator[str]:
        told = {step["recipe_id"]: step for step in body["steps"]}
        if told.keys() != {step["recipe_id"] for _, step in self._steps}:
            yield "the notice of the job has other steps than its manifests"
        if any(not step.items() <= told.get(step["recipe_id"], {}).items() for _, step in self._steps):
            yield "the notice of the job says other than its manifests"
        if self._ends and {body["verdict"]} != self._verdicts:
            yield f"the notice of the job says {body['verdict']}, its index entries {sorted(self._verdicts)}"

    def _wrong_result(self, step: Json) -> Iterator[str]:
        """A verdict that differs from that of the job, or that nothing shows."""
        if "succeeded" in self._verdicts and step["verdict"] != "succeeded":
            yield f"the job succeeded, and its step {step['step']} {step['verdict']}"
        if step["verdict"] == "succeeded" and not step["outputs"] and "sha256" not in step["facts"]:
            yield f"step {step['step']} succeeded, and made nothing"

    def _wrong_outputs(self, step: Json) -> Iterator[str]:
        """Outputs that are not those of the manifest, or not made from this file."""
        for output in step["outputs"]:
            stored = self._evidence.objects.get(output["object"])
            if stored is None:
                yield f"output {output['object']} is not stored"
            elif {stored.crc32c, crc32c(stored.data)} != {output["crc32c"]}:
                yield f"output {stored.name} is not what the manifest committed"
            elif contents.shown(stored.data, stored.name.rpartition(".")[2]) != self._entry.token:
                yield f"output {stored.name} shows another file"
        if "sha256" in step["facts"] and step["facts"]["sha256"] != self._digest(step["recipe"]["input"]):
            yield f"the digest of step {step['step']} is that of another file"

    def _digest(self, made_from: str) -> str:
        """Of the file, or of the output that a step was made from."""
        data = contents.made(self._entry.kind, self._entry.token).data
        if made_from:
            outputs = [one for _, step in self._steps if step["step"] == made_from.partition("/")[0] for one in step["outputs"]]
            found = [self._evidence.objects.get(one["object"]) for one in outputs]
            data = b"".join(one.data for one in found if one)
        return hashlib.sha256(data).hexdigest()

    @property
    def _ids(self) -> list[str]:
        return [f"{self.id}-{step['recipe_id']}" for _, step in self._steps]

    @property
    def _file(self) -> tuple[str, int, str]:
        return self._entry.name, self._entry.generation, self._entry.crc32c

    def sentence(self, faults: Iterable[str]) -> list[str]:
        """One for all faults of a kind, so that files are counted; none without a fault."""
        one, what = self._entry, "; ".join(faults)
        return [f"{one.name} #{one.generation} ({one.kind}, {one.door}, {self._fate}): {what}"] if what else []


def _rewritten(stored: Iterable[Stored]) -> Iterator[str]:
    """Objects that were overwritten or deleted, or whose metadata was changed."""
    for one in stored:
        if not one.is_live or one.metageneration != 1:
            yield f"{one.name} was {'changed' if one.is_live else 'replaced or deleted'}"


def _described(file: Json) -> tuple[str, int, str]:
    return file["name"], int(file["generation"]), file["crc32c"]


def _milliseconds(seconds: float) -> float:
    """The time as a message states it."""
    return int(seconds * 1000) / 1000
