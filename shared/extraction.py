"""Members of an archive become files of their own: objects in the uploads bucket, each with a job.

The sandbox unpacks one batch of members after the other; this module uploads them, create-only, as
`extracted/<job id>/<number>/<name>`. A note after each batch but the last keeps what it did: a later delivery goes on behind it.
Archives in archives end at `max_depth`: each file counts the archives that it came out of.
"""

import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from shared import metadata, naming, processors
from shared.attempts import Attempts
from shared.cloud.protocols import AlreadyExists, Cloud
from shared.errors import BadConfiguration, BadFile, BadRequest, Unavailable
from shared.model import File, Json, Recipe, within
from shared.plan import PlannedStep, Task
from shared.processors import Draft, Made
from shared.processors.registry import MAX_LISTED_BYTES

PREFIX = "extracted/"
#: Metadata of an extracted file: the number of archives it came out of, the job that extracted it, and its number as a member.
HOPS, PARENT, MEMBER = metadata.RESERVED
MAX_HOPS = 1000
#: The list of all members, where the facts have no room for them.
LIST_NAME = "members.json"

#: Unpacks a batch in the sandbox, into this folder.
Unpack = Callable[[Recipe, Path], Made]


def concerns(recipe: Recipe) -> bool:
    """Whether this step extracts. The sandbox refuses a processor that this release lacks."""
    try:
        return processors.find(recipe.processor).extracts
    except BadConfiguration:
        return False


def hops(file: File) -> int:
    """The number of archives that a file came out of. Metadata may be forged: the prefix counts for one."""
    stated = file.metadata.get(HOPS, "")
    counted = min(int(stated[:9]), MAX_HOPS) if stated.isdecimal() and stated.isascii() else 0
    return max(counted, int(file.name.startswith(PREFIX)))


def folder_of(job_id: str) -> str:
    """The prefix of the files that a job extracts."""
    return f"{PREFIX}{job_id}/"


class Extraction:
    """The extraction of one archive by one step of a delivery."""

    def __init__(self, task: Task, step: PlannedStep, cloud: Cloud, attempts: Attempts) -> None:
        self._task = task
        self._step = step
        self._uploads = cloud.uploads
        self._attempts = attempts
        self._options = step.recipe.options
        self._prefix = folder_of(task.run.job_id)
        self._has_worked = False
        self._ends = time.monotonic() + cloud.routes.pool(task.place.queue).deadline_seconds - step.limits.seconds

    def run(self, unpack: Unpack, folder: Path) -> Made:
        """Extract all members, and list them. Raises `BadFile`, and `Unavailable` to go on in another delivery."""
        depth = hops(self._task.file)
        if depth >= self._options["max_depth"]:
            raise BadFile(f"it came out of {depth} archives, one within the other; its step stops there", "too_deep")
        facts, number, members = Json(), int(self._options["first"]), list[Json]()
        while number:
            batch = self._attempts.kept(self._step, f"from-{number}") or self._batch(number, unpack, folder / str(number))
            facts, number = batch["facts"], batch["next"]
            members += batch["members"]
        return _made(self._prefix, facts, members, self._options["listed"], folder)

    def _batch(self, first: int, unpack: Unpack, folder: Path) -> Json:
        from shared.sandbox import folders  # only the processor loads the sandbox

        if self._has_worked and time.monotonic() > self._ends:
            raise Unavailable(f"extracted up to member {first - 1}; the next delivery goes on")
        self._has_worked = True
        folder.mkdir()
        most = min(self._options["max_member_bytes"], self._step.limits.output_bytes)
        options = {**self._options, "first": first, "max_member_bytes": most}
        batch = _read(unpack(replace(self._step.recipe, options=options), folder), first, self._options["max_members"])
        for number, (draft, name) in batch.files.items():
            self._upload(f"{self._prefix}{number}/{name}", draft, number)
        members = batch.members(self._prefix)
        folders.delete(folder)
        body: Json = {"facts": batch.facts, "members": members, "next": batch.next}
        return self._attempts.keep(self._step, f"from-{first}", body) if batch.next else body

    def _upload(self, name: str, draft: Draft, number: int) -> None:
        with contextlib.suppress(AlreadyExists):  # an earlier delivery uploaded it
            marks = self._metadata(number)
            self._uploads.create(name, draft.content_type, draft.path, marks, self._step.recipe.cache_control)

    def _metadata(self, number: int) -> Mapping[str, str]:
        """The marks, and with `copy_metadata` what fits of the archive's own metadata."""
        file = self._task.file
        marks = {HOPS: str(hops(file) + 1), PARENT: self._task.run.job_id, MEMBER: str(number)}
        return metadata.joined(marks, metadata.copied(file.metadata) if self._step.recipe.copy_metadata else {})


@dataclass(frozen=True, slots=True)
class _Batch:
    """The answer of the sandbox: drafts and names of files by number, and the entries of members that stay packed.

    `next` is the first member of the next batch, or 0.
    """

    facts: Json
    files: Mapping[int, tuple[Draft, str]]
    refused: Sequence[Json]
    next: int

    def members(self, prefix: str) -> list[Json]:
        """The entries of all members, by number."""
        entries = [
            {
                "number": number,
                "path": draft.facts["path"],
                "size": draft.path.stat().st_size,
                "object": f"{prefix}{number}/{name}",
            }
            for number, (draft, name) in self.files.items()
        ]
        return sorted([*entries, *self.refused], key=lambda entry: int(entry["number"]))


def _read(made: Made, first: int, most: int) -> _Batch:
    """The batch, as far as it can be trusted: numbers from `first` up to the next batch. Raises `BadFile`."""
    try:
        facts = {name: made.facts[name] for name in ("format", "members", "unpacked_bytes")}
        files = {int(draft.name): (draft, naming.clean(draft.facts["name"])) for draft in made.drafts}
        refused = [{name: entry[name] for name in ("number", "path", "size", "reason")} for entry in made.facts["refused"]]
        following, paths = int(made.facts["next"]), [draft.facts["path"] for draft in made.drafts]
        numbers = [*files, *(entry["number"] for entry in refused)]
        is_sound = following == 0 or first < following <= most
        are_sound = all(first <= number < (following or most + 1) for number in numbers)
        if not is_sound or not are_sound or not all(isinstance(path, str) for path in paths):
            raise ValueError("numbers that no archive has")
    except (LookupError, TypeError, ValueError, BadRequest):
        raise BadFile("its decoder left no readable result", "decoder_crashed") from None
    return _Batch(facts, files, refused, following)


def _made(prefix: str, facts: Json, members: Sequence[Json], most: int, folder: Path) -> Made:
    """The facts of the whole archive, with the first members, and the output with all where the facts have no room."""
    extracted = sum("object" in member for member in members)
    if not extracted:
        raise _nothing([member["reason"] for member in members])
    listed = list(within(members[:most], MAX_LISTED_BYTES))
    drafts = []
    if len(listed) < len(members):
        path = folder / LIST_NAME
        path.write_bytes(json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace"))
        drafts.append(Draft(LIST_NAME, "application/json", path))
    counted = {"extracted": extracted, "refused": len(members) - extracted, "folder": prefix}
    return Made(tuple(drafts), {**facts, **counted, "listed": listed})


def _nothing(reasons: Sequence[str]) -> BadFile:
    if reasons and set(reasons) == {"password"}:
        return BadFile("every file in the archive is locked with a password; pack them without one", "password")
    if not reasons:
        return BadFile("the archive holds no files", "no_output")
    counted = ", ".join(f"{number} {reason}" for reason, number in sorted(Counter(reasons).items()))
    return BadFile(f"none of the members of the archive can be extracted: {counted}", "no_output")
