"""The invariants of later runs and of the index: claims, what they adopt, and one entry for each run that ended."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

from shared.model import Json
from shared.operations.rerun import Answer

#: A request whose id begins so adopts nothing.
FRESH = "fresh"
#: The request to cancel a file, and the reason of a step that it ends.
CANCEL, CANCELLED = "cancel", "cancelled"


class Violation(Exception):
    """Something happened that never may."""


def require(is_right: bool, sentence: str) -> None:
    """Raise `Violation` unless it is right."""
    if not is_right:
        raise Violation(sentence)


@dataclass
class Runs:
    """The claims and the index entries of all files."""

    claims: dict[str, Json] = field(default_factory=dict)
    #: the verdict of each job that has an index entry
    entries: dict[str, str] = field(default_factory=dict)

    def claimed(self, job_id: str, body: Json, before: Mapping[str, Iterable[Json]]) -> None:
        """Check a new claim. `before` has the steps that ended in the runs before."""
        first, number = first_of(job_id), number_of(job_id)
        require(job_id not in self.claims, "a claim was replaced by another")
        require(body["job"]["job_id"] == job_id, "a claim stands under the name of another run")
        last = f"{first}-r{number - 1}" if number > 1 else first
        require(last in self.entries, "a run begins before the one before it has ended")
        requests = [claim["request"] for claimed, claim in self.claims.items() if first_of(claimed) == first]
        require(body["request"] not in requests, "one request began two runs")
        wanted = set() if body["request"].startswith(FRESH) else self._succeeded(before)
        require(set(body["adopted"]) == wanted, "a claim adopts other recipes than those that succeeded last")
        self.claims[job_id] = body

    def _succeeded(self, before: Mapping[str, Iterable[Json]]) -> set[str]:
        """The recipes whose newest verdict is `succeeded`. In a run that adopts a recipe, only a success counts."""
        newest: dict[str, str] = {}
        for job_id in sorted(before, key=number_of):
            ended = {step["recipe_id"]: step["verdict"] for step in before[job_id]}
            newest |= {one: how for one, how in ended.items() if how == "succeeded" or not self.adopts(job_id, one)}
        return {one for one, how in newest.items() if how == "succeeded"}

    def may_commit(self, job_id: str, body: Json) -> None:
        """Check that this run may have this manifest."""
        if number_of(job_id):
            require(job_id in self.claims, "a run without a claim")
            is_refused = body["kind"] == "manifest" and not body["steps"]
            require(not is_refused or body["reason"] != "guard", "the runaway guard skips a run that was asked for")
            follows = is_refused or body["plan"]["id"] == self.claims[job_id]["plan"]["id"]
            require(follows, "a run works under another plan than its claim's")

    def may_work(self, job_id: str, recipe_id: str) -> None:
        """Check that this recipe was not adopted."""
        require(not self.adopts(job_id, recipe_id), "a step that succeeded before was worked again")

    def adopts(self, job_id: str, recipe_id: str) -> bool:
        """Whether the claim of this run adopts this recipe."""
        return job_id in self.claims and recipe_id in self.claims[job_id]["adopted"]

    def answered(self, answer: Answer, request: str, ended: Set[str]) -> None:
        """Check the answer to a request for another run. `ended` are the jobs that had an index entry before it."""
        job_id = answer.run.job_id
        if answer.state == "processing":
            require(job_id not in ended, "an operator was refused another run though the last one has ended")
        else:
            is_own = job_id in self.claims and self.claims[job_id]["request"] == request
            require(is_own, "an operator was answered that a run began, but there is no such claim")

    def ended(self, job_id: str, verdict: str, expected: str, is_told: bool) -> None:
        """Check a new index entry."""
        require(job_id not in self.entries, "two index entries of one run")
        require(verdict == expected, "the index has another verdict than the manifests")
        require(is_told, "an index entry before all was told")
        self.entries[job_id] = verdict


def first_of(job_id: str) -> str:
    """The job id of run 0 of this file."""
    return job_id.partition("-r")[0]


def number_of(job_id: str) -> int:
    """The number of this run."""
    return int(job_id.partition("-r")[2] or 0)
