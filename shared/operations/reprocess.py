"""The files whose newest run lacks a recipe of today's plan, found in the index alone.

The plan follows from what an entry holds. Only where its recipes or its file did not fit into the entry, the run's manifests are
read. Whether a file's original is still there, its begin finds out: `bulk` runs the files again.
"""

from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace

from shared import ledger, pipeline
from shared.cloud.protocols import Cloud
from shared.index import VERDICTS, Entry
from shared.manifest import Manifest
from shared.model import File, Json, Run
from shared.operations import listing, parallel, prices
from shared.operations.ended import Ended
from shared.operations.listing import Query
from shared.operations.prices import Use

#: The verdicts of files whose original may be there.
PRESENT = tuple(verdict for verdict in VERDICTS if verdict not in ("superseded", "gone"))
#: The parts of an entry that decide. Where one did not fit, the manifests of the run have it.
DECIDING = {"name", "type", "size", "recipes", "metadata"}


@dataclass(frozen=True, slots=True)
class Where:
    """The wanted files beside those of a query; an empty field excludes none.

    `steps` are those of which one has another recipe today. Files have all of this custom metadata.
    """

    steps: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changed:
    """A job whose file has other recipes today.

    `recipes` has of each such step the recipe of the newest run, empty for none, and that of today.
    """

    job: Entry
    file: File
    recipes: Mapping[str, tuple[str, str]]
    use: Use


@dataclass
class Count:
    """The files by changed recipe, and the least use of their runs."""

    files: int = 0
    use: Use = field(default_factory=Use)
    recipes: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, one: Changed) -> None:
        """Count one more."""
        self.files += 1
        self.use += one.use
        self.recipes.update((step, was, now) for step, (was, now) in one.recipes.items())

    def to_json(self) -> Json:
        keys = ("step", "was", "now", "files")
        rows = [dict(zip(keys, (*recipe, files), strict=True)) for recipe, files in sorted(self.recipes.items())]
        return {"files": self.files, "recipes": rows, "use": self.use.to_json()}


def choose(query: Query, where: Where, cloud: Cloud) -> Generator[Changed, None, None]:
    """The wanted files with other recipes today, newest upload first. Raises `Unavailable`.

    It makes a list call for a thousand entries. Each object counts once, by the newest generation that is wanted. Files in work
    are left out.
    """
    wanted = query if query.verdicts else replace(query, verdicts=PRESENT)
    found = parallel.each(lambda job: _changed(job, cloud), _newest(listing.jobs(wanted, cloud)))
    return (one for one in found if one and _is_wanted(one, where))


def _newest(jobs: Iterator[Entry]) -> Iterator[Entry]:
    """The first job of each object."""
    seen = Ended()
    for job in jobs:
        file_id = job.job_id.partition("-")[0]
        if file_id not in seen:
            seen.add(file_id)
            yield job


def _changed(job: Entry, cloud: Cloud) -> Changed | None:
    file, recipes = _from_manifests(job, cloud) if DECIDING & set(job.cut) else (_file(job, cloud), job.recipes)
    plan = cloud.routes.plan(file)
    had = {recipe_id.rpartition("-")[0]: recipe_id for recipe_id in recipes}
    lacks = {step.name: (had.get(step.name, ""), step.recipe.recipe_id) for step in plan.steps}
    lacks = {name: (was, now) for name, (was, now) in lacks.items() if was != now}
    if not lacks or pipeline.refusal(Run(file), plan, cloud):
        return None
    return Changed(job, file, lacks, prices.OF_RERUN + prices.of_plan(plan))


def _file(job: Entry, cloud: Cloud) -> File:
    bucket = cloud.settings.uploads_bucket
    return File(bucket, job.name, job.generation, job.size, job.content_type, "", job.metadata)


def _from_manifests(job: Entry, cloud: Cloud) -> tuple[File, tuple[str, ...]]:
    file_id, generation = job.job_id.split("-")[:2]
    found = [one for one in ledger.history(cloud.results, file_id, generation, str(job.run)) if isinstance(one, Manifest)]
    if not found:  # they were deleted, and the entry was not
        return _file(job, cloud), job.recipes
    return found[0].run.file, tuple(step["recipe_id"] for one in found for step in one.steps)


def _is_wanted(one: Changed, where: Where) -> bool:
    has_metadata = all(one.file.metadata.get(key) == value for key, value in where.metadata.items())
    return has_metadata and (not where.steps or any(step in where.steps for step in one.recipes))
