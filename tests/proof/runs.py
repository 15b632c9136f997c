"""The invariants of later runs and of the index: claims, what they adopt, and one entry for each run that ended."""

from collections.abc import Set
from dataclasses import dataclass, field

from shared.model import Json

#: A request whose id begins so adopts nothing.
FRESH = "fresh"


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

    def claimed(self, job_id: str, body: Json, succeeded: Set[str]) -> None:
        """Check a new claim. `succeeded` are the recipes that succeeded in the runs before."""
        first, number = first_of(job_id), number_of(job_id)
        require(body["job"]["job_id"] == job_id, "a claim stands under the name of another run")
        before = f"{first}-r{number - 1}" if number > 1 else first
        require(before in self.entries, "a run begins before the one before it has ended")
        requests = [claim["request"] for claimed, claim in self.claims.items() if first_of(claimed) == first]
        require(body["request"] not in requests, "one request began two runs")
        wanted = set() if body["request"].startswith(FRESH) else succeeded
        require(set(body["adopted"]) == wanted, "a claim adopts other recipes than those that succeeded")
        self.claims[job_id] = body

    def may_commit(self, job_id: str, body: Json) -> None:
        """Check that this run may have this manifest."""
        if number_of(job_id):
            require(job_id in self.claims, "a run without a claim")
            is_refused = body["kind"] == "manifest" and not body["steps"]
            follows = is_refused or body["plan"]["id"] == self.claims[job_id]["plan"]["id"]
            require(follows, "a run works under another plan than its claim's")

    def may_work(self, job_id: str, recipe_id: str) -> None:
        """Check that this recipe was not adopted."""
        adopted = self.claims[job_id]["adopted"] if job_id in self.claims else {}
        require(recipe_id not in adopted, "a step that succeeded before was worked again")

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
