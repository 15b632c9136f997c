"""The cost of the work done: CPU time, bytes, calls and their list price by step, read from manifests."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from shared import ledger
from shared.cloud.protocols import Cloud
from shared.index import Entry
from shared.ledger import Found
from shared.manifest import Manifest
from shared.model import Json
from shared.operations import listing, parallel, prices
from shared.operations.listing import Query
from shared.operations.prices import Use

#: The rows beside those of the steps, whose names have no brackets.
TASKS, JOBS = "(tasks)", "(jobs)"
NOTHING = Use()


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a step over all files, or of all tasks or jobs.

    `count` is of results that were worked for, of tasks or of jobs; sizes are in bytes. CPU seconds are those of the sandbox.
    """

    step: str
    count: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    use: Use = NOTHING

    def plus(self, use: Use, bytes_in: float = 0, bytes_out: float = 0, count: int = 1) -> "Cost":
        """The sum with one more."""
        sums = self.count + count, self.bytes_in + int(bytes_in), self.bytes_out + int(bytes_out)
        return Cost(self.step, *sums, self.use + use)

    def to_json(self) -> Json:
        sizes = {"count": self.count, "bytes_in": self.bytes_in, "bytes_out": self.bytes_out}
        return {"step": self.step, **sizes, **self.use.to_json()}


def manifests(query: Query, cloud: Cloud) -> Iterator[Manifest]:
    """The manifests of all runs of these jobs so far."""

    def of_job(job: Entry) -> list[Found]:
        file_id, generation = job.job_id.split("-")[:2]
        return list(ledger.history(cloud.results, file_id, generation))

    for found in parallel.each(of_job, listing.jobs(query, cloud)):
        yield from (one for one in found if isinstance(one, Manifest))


def cost(manifests: Iterable[Manifest]) -> list[Cost]:
    """The cost by manifests: a row for each step, one for all tasks, one for all jobs. Pure.

    Steps that a run adopted cost it nothing.
    """
    steps: dict[str, Cost] = {}
    tasks, jobs, runs = Cost(TASKS), Cost(JOBS), set[str]()
    for manifest in manifests:
        for step in manifest.steps:
            if step.get("cost") and not step.get("adopted"):
                steps[step["step"]] = _with(steps.get(step["step"], Cost(step["step"])), step)
        tasks = tasks.plus(_of_task(manifest))
        if manifest.run.job_id not in runs:
            runs.add(manifest.run.job_id)
            jobs = jobs.plus(prices.OF_JOB)
    return [*sorted(steps.values(), key=lambda one: one.use.dollars, reverse=True), tasks, jobs]


def total(costs: Iterable[Cost]) -> Use:
    """The use of all rows together."""
    return sum((one.use for one in costs), NOTHING)


def _with(cost: Cost, step: Json) -> Cost:
    spent = step["cost"]
    use = Use(writes=len(step.get("outputs", ())), cpu_seconds=float(spent.get("cpu_seconds", 0)))
    return cost.plus(use, spent.get("bytes_in", 0), spent.get("bytes_out", 0))


def _of_task(manifest: Manifest) -> Use:
    """Its calls, if each delivery was an attempt. A task whose steps all ended without work was never queued."""
    ended = [step for step in manifest.steps if step.get("times")]
    if not ended:
        return Use(writes=1, notice_bytes=prices.notices(len(manifest.steps)))
    worked = [step for step in ended if not step.get("adopted")]
    deliveries = max((int(step.get("attempt", 1)) for step in worked), default=1)
    reads_file = any("fetched" in step["times"] for step in worked)
    use = prices.of_task(len(manifest.steps), len(manifest.plan.before(manifest.place)), reads_file=reads_file)
    return replace(use, tasks=1 + max(1, deliveries), reads=use.reads + len(ended) - len(worked))
