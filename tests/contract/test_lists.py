"""Lists of jobs on the fakes and on the real adapters: any name survives the metadata of entries and claims."""

import uuid
from dataclasses import replace

from shared import index, manifest
from shared.cloud.protocols import Cloud
from shared.index import PROCESSING
from shared.manifest import Job
from shared.model import Run
from shared.operations import listing
from shared.operations.listing import Query
from shared.plan import Task
from tests.unit.plans import CAT, plan, step

STEPS = plan(step("a", "images"))
TIME = "2026-01-15T10:00:00.000Z"


def test_ended_jobs_later_runs_and_queued_files_are_listed(cloud: Cloud) -> None:
    folder = f"lists/{uuid.uuid4().hex}"
    names = [f"{folder}/{name}" for name in ("ünï e\u0301 🐈 a%2Fb#c?d+e,f", "again", "waiting")]
    ended, again, waiting = (
        Run(replace(CAT, name=name, generation=CAT.generation + number, metadata={"order": 'a;b, "c" ü'}))
        for number, name in enumerate(names)
    )
    for run in (ended, again):
        index.write(cloud.results, Job([manifest.of_no_task(run, "failed", "too_large", "🐈 has 9 bytes", TIME)]))
    index.claim(cloud.results, manifest.of_claim(Run(again.file, 1), STEPS, {}, "request", TIME))
    cloud.queue.add(Task(waiting, STEPS, STEPS.first[0]))

    found = list(listing.jobs(Query(name=f"{folder}/**"), cloud))

    assert [(job.name, job.run, job.verdict) for job in found] == [
        (names[2], 0, PROCESSING),
        (names[1], 1, PROCESSING),
        (names[0], 0, "failed"),
    ]
    assert (found[2].reason, found[2].message, found[2].ended) == ("too_large", "🐈 has 9 bytes", TIME)
    assert [job.metadata for job in found] == [{"order": 'a;b, "c" ü'}] * 3
