"""The order of all writes of all jobs, by the server's own times: those of objects and those of messages."""

import json
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from google.cloud.pubsub_v1.subscriber.message import Message
from google.cloud.storage import Blob, Bucket

from shared import manifest
from shared.index import VERDICTS
from shared.manifest import Job, Manifest

Times = Mapping[str, datetime]
Manifests = Mapping[str, list[tuple[datetime, Manifest]]]


def faults(results: Bucket, messages: Iterable[Message]) -> Iterator[str]:
    """The contradictions to the protocol: manifests, then notices, then the entry, then the next claim."""
    published, verdicts = _published(messages)
    claims = {_job_id(blob.name): blob.time_created for blob in results.list_blobs(prefix="index/rerun/")}
    entries = [blob for verdict in VERDICTS for blob in results.list_blobs(prefix=f"index/{verdict}/")]
    ended = {_job_id(blob.name): blob.time_created for blob in entries}
    manifests = _manifests(results)
    yield from (f"{job} has two entries" for job in ended if sum(_job_id(blob.name) == job for blob in entries) > 1)
    yield from (f"{job} has no entry" for job in manifests.keys() | claims.keys() | verdicts.keys() if job not in ended)
    for blob in entries:
        job_id, verdict = _job_id(blob.name), blob.name.split("/")[1]
        found = (verdict, verdicts.get(job_id), Job([one for _, one in manifests[job_id]]).verdict)
        if len(set(found)) > 1:
            yield f"{job_id}: entry, notice and manifests say {found}"
        yield from (f"{job_id}: {fault}" for fault in _of_job(job_id, blob.time_created, manifests, published))
    for job_id, time in claims.items():
        if time < ended.get(_before(job_id), time):
            yield f"{job_id} was claimed before the run before it had its entry"


def _of_job(job_id: str, entry: datetime, manifests: Manifests, published: Times) -> Iterator[str]:
    for time, one in manifests[job_id]:
        notices = [job_id, *(f"{job_id}-{step['recipe_id']}" for step in one.steps)]
        for notice in notices:
            if notice not in published:
                yield f"notice {notice} is missing"
            elif not time <= published[notice] <= entry:
                yield f"manifest {time}, notice {notice} {published[notice]}, entry {entry} are out of order"


def _published(messages: Iterable[Message]) -> tuple[Times, Mapping[str, str]]:
    """The first time of each notice; the verdicts of the jobs."""
    times: dict[str, datetime] = {}
    verdicts: dict[str, str] = {}
    for message in messages:
        attributes = message.attributes
        times[attributes["ce-id"]] = min(message.publish_time, times.get(attributes["ce-id"], message.publish_time))
        if attributes["ce-type"] == "sluice.job.finished.v1":
            verdicts[attributes["ce-subject"]] = attributes["verdict"]
    return times, verdicts


def _manifests(results: Bucket) -> Manifests:
    def read(blob: Blob) -> tuple[datetime, Any]:
        return blob.time_created, manifest.read(json.loads(blob.download_as_bytes()))

    found: dict[str, list[tuple[datetime, Manifest]]] = {}
    with ThreadPoolExecutor(8) as pool:
        for time, one in pool.map(read, results.list_blobs(prefix="jobs/")):
            if isinstance(one, Manifest):
                found.setdefault(one.run.job_id, []).append((time, one))
    return found


def _job_id(name: str) -> str:
    return name.rpartition("/")[2].partition("-")[2]


def _before(job_id: str) -> str:
    """The run before a run ≥ 1."""
    file, _, number = job_id.partition("-r")
    return f"{file}-r{int(number) - 1}" if int(number) > 1 else file
