"""The index in the results bucket: an empty object per ended job, sorted by its name; the claims of later runs.

`index/<verdict>/<digits>-<job_id>` is written last, after the notice: all was told. `index/rerun/<digits>-<job_id>`
begins a run. The digits are 10^16 − generation, so that names list the newest upload first. Every list is read from here.
"""

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import quote, unquote

from shared.cloud.protocols import AlreadyExists, Bucket
from shared.errors import Unavailable
from shared.manifest import NOT_WANTED, Claim, Job, reasons
from shared.model import Json, Run, Verdict, canonical

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
#: The verdict of a job, or that it is in work.
State = Literal[Verdict, "processing"]
PROCESSING: Literal["processing"] = "processing"
RERUN: Literal["rerun"] = "rerun"
#: Limits of Cloud Storage for custom metadata are 8 KiB together; no value takes more than half.
MAX_VALUE_BYTES = 4 << 10
MAX_BYTES = 8 << 10
MAX_MESSAGE_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Entry:
    """A job as lists show it. `size` is in bytes, `ended` RFC 3339.

    `cut` names what did not fit into the object's metadata. A job in work is `processing`, without reason, message, end, recipes.
    """

    verdict: State
    job_id: str
    run: int
    generation: int
    name: str
    size: int
    content_type: str
    reason: str
    message: str
    ended: str
    recipes: tuple[str, ...]
    metadata: Mapping[str, str]
    cut: tuple[str, ...] = ()

    @property
    def file_key(self) -> str:
        """The sort key of run 0 of its file: the newest upload first."""
        return f"{_digits(self.generation)}-{self.job_id.partition('-r')[0]}"

    def to_json(self) -> Json:
        values = {name: getattr(self, name) for name in self.__slots__}
        return values | {"generation": str(self.generation), "recipes": list(self.recipes), "cut": list(self.cut)}


def sort_key(run: Run) -> str:
    """`<digits>-<job_id>`: the last part of the names of this run's entry and claim."""
    return f"{_digits(run.file.generation)}-{run.job_id}"


def _digits(generation: int) -> str:
    return f"{10**16 - generation:016d}"


def folder(kind: Verdict | Literal["rerun"]) -> str:
    """The prefix of the entries of this verdict, or of the claims. Each is one range of names, which fall with time."""
    return f"index/{kind}/"


def entry_name(run: Run, verdict: Verdict) -> str:
    """The object that says that this job has ended, and all was told."""
    return folder(verdict) + sort_key(run)


def claim_name(run: Run) -> str:
    """The object by which a run ≥ 1 begins."""
    return folder(RERUN) + sort_key(run)


def write(results: Bucket, job: Job) -> None:
    """Write the entry of an ended job. Repeats change nothing."""
    with contextlib.suppress(AlreadyExists):
        results.create(entry_name(job.manifests[0].run, job.verdict), "application/octet-stream", b"", metadata_of(job))


def metadata_of(job: Job) -> dict[str, str]:
    """The custom metadata of the entry: percent-encoded ASCII within Cloud Storage's limits."""
    first = job.manifests[0]
    steps = [step for manifest in job.manifests for step in manifest.steps]
    failing = [step for step in steps if step["verdict"] != "succeeded" and step.get("reason") not in NOT_WANTED]
    message = failing[0].get("message", "") if failing else first.body.get("message", "")
    wanted = {
        "ended": job.time,
        "reason": reasons(steps) or first.body.get("reason", ""),
        "recipes": ",".join(step["recipe_id"] for step in steps),
        "metadata": _custom_metadata(first.run),
        "message": message[:MAX_MESSAGE_CHARACTERS],
    }
    return _fitted({**_described(first.run), **wanted})


def _described(run: Run) -> dict[str, str]:
    return {"run": str(run.number), "size": str(run.file.size), "name": run.file.name, "type": run.file.content_type}


def _custom_metadata(run: Run) -> str:
    return canonical(dict(run.file.metadata)).decode() if run.file.metadata else ""


def _fitted(wanted: Mapping[str, str]) -> dict[str, str]:
    """The values that fit, percent-encoded, in their order; `cut` names the others."""
    values = {key: quote(value, safe=" ,:;/+{}\"'@()[]=", errors="backslashreplace") for key, value in wanted.items() if value}
    fitted: dict[str, str] = {}
    left = MAX_BYTES - len("cut") - sum(len(key) + 1 for key in values)
    for key, value in values.items():
        if len(value) <= min(MAX_VALUE_BYTES, left - len(key)):
            fitted[key] = value
            left -= len(key) + len(value)
    cut = [key for key in values if key not in fitted]
    return fitted | ({"cut": ",".join(cut)} if cut else {})


def read_entry(object_name: str, metadata: Mapping[str, str]) -> Entry:
    """The job of this entry or claim. Raises `ValueError` for the name of another object."""
    _, kind, key = object_name.split("/", 2)
    digits, _, job_id = key.partition("-")
    values = {name: unquote(value) for name, value in metadata.items()}
    return Entry(
        verdict=PROCESSING if kind == RERUN else kind,  # type: ignore[arg-type]
        job_id=job_id,
        run=int(job_id.partition("-r")[2] or 0),
        generation=10**16 - int(digits),
        name=values.get("name", ""),
        size=int(values.get("size", "0")),
        content_type=values.get("type", ""),
        reason=values.get("reason", ""),
        message=values.get("message", ""),
        ended=values.get("ended", ""),
        recipes=tuple(filter(None, values.get("recipes", "").split(","))),
        metadata=json.loads(values.get("metadata", "{}")),
        cut=tuple(filter(None, values.get("cut", "").split(","))),
    )


def in_work(run: Run) -> Entry:
    """The job of a run that has not ended."""
    return read_entry(claim_name(run), _fitted({**_described(run), "metadata": _custom_metadata(run)}))


def has_entry(results: Bucket, run: Run, verdicts: Iterable[Verdict] = VERDICTS) -> bool:
    """Whether the job of this run has ended, and all was told."""
    return find_entry(results, run, verdicts) is not None


def find_entry(results: Bucket, run: Run, verdicts: Iterable[Verdict] = VERDICTS) -> Entry | None:
    """The entry of this run, or None while it is in work."""
    found = next(filter(None, (results.find(entry_name(run, verdict)) for verdict in verdicts)), None)
    return read_entry(found.name, found.metadata) if found else None


def ended(results: Bucket, verdict: Verdict, oldest: int, newest: int) -> Iterator[str]:
    """The ids of the jobs that ended so, of uploads with these generations or between: a list call for a thousand."""
    found = folder(verdict)
    for name in results.names(found, found + _digits(newest), found + _digits(oldest - 1)):
        yield job_of(name)


def job_of(object_name: str) -> str:
    """The id of the job of this entry or claim."""
    return object_name.rpartition("/")[2].partition("-")[2]


def newest(results: Bucket, first: Run) -> Entry:
    """The newest run of this generation of the file, as lists show it."""
    numbers = later_runs(results, first.file.file_id, first.file.generation)
    run = Run(first.file, max(numbers, default=0))
    return find_entry(results, run) or in_work(run)


def claims(results: Bucket, run: Run) -> list[Claim]:
    """The claims of all later runs of this generation of the file, by number."""
    file_id, generation = run.file.file_id, run.file.generation
    numbers = later_runs(results, file_id, generation)
    found = (find_claim(results, file_id, generation, number) for number in numbers)
    return [claim for claim in found if claim]


def later_runs(results: Bucket, file_id: str, generation: int) -> list[int]:
    """The numbers of the claimed runs, from the lowest on."""
    prefix = f"{folder(RERUN)}{_digits(generation)}-{file_id}-{generation}-r"
    return sorted(int(name.removeprefix(prefix)) for name in results.names(prefix))


def find_claim(results: Bucket, file_id: str, generation: int, number: int) -> Claim | None:
    """The claim of this run, or None."""
    body = results.read(f"{folder(RERUN)}{_digits(generation)}-{file_id}-{generation}-r{number}")
    return Claim(json.loads(body)) if body is not None else None


def claim(results: Bucket, wanted: Claim) -> Claim:
    """Create a claim, or find the one that another operator created first; returns the one that stands.

    Raises `Unavailable` if that one cannot be read.
    """
    name = claim_name(wanted.run)
    with contextlib.suppress(AlreadyExists):
        described = {**_described(wanted.run), "request": wanted.request, "metadata": _custom_metadata(wanted.run)}
        results.create(name, "application/json", canonical(wanted.body), _fitted(described))
        return wanted
    body = results.read(name)
    if body is None:
        raise Unavailable(f"object {name} exists but cannot be read; retry")
    return Claim(json.loads(body))
