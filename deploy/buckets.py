"""Buckets: closed to the public, with soft delete, a lifecycle and, for signed URLs, CORS."""

import json
from collections.abc import Iterator

from deploy.answers import Json
from deploy.deployment import Deployment
from deploy.gcloud import Command
from deploy.kinds import Bucket, sorted_json
from deploy.queues import labels_of_paused, paused
from shared import cors, lifecycle

DAY = 24 * 3600
#: What is deleted after some days: of the results, all but the operator's assets and the notes of their use; the sources of images.
EXPIRING = {"results": ("attempts/", "backfills/", "files/", "guard/", "index/", "jobs/"), "build": ("source/",)}


def bucket(deployment: Deployment, name: str, soft_delete: str, days: str) -> Iterator[list[Command]]:
    """A bucket whose objects are deleted after so many days, 0 keeps them; `soft_delete` is a duration such as `7d`."""
    url, found = f"gs://{deployment.bucket(name)}", deployment.state.buckets.get(deployment.bucket(name))
    wanted = wanted_bucket(deployment, name, soft_delete, int(days))
    lifecycle = deployment.write(f"lifecycle-{name}.json", _lifecycle(name, int(days)))
    flags = ["--uniform-bucket-level-access", "--public-access-prevention", f"--soft-delete-duration={soft_delete}"]
    flags.append(f"--lifecycle-file={lifecycle}")
    allow = [f"--cors-file={deployment.write(f'cors-{name}.json', wanted.cors)}"] if wanted.cors else []
    update = ["storage", "buckets", "update", url]
    if found is None:
        create = ["storage", "buckets", "create", url, deployment.at_location, *flags]
        # Queues without their bucket were left by `down --delete-data`.
        labels = [deployment.label, *(labels_of_paused(paused(deployment)) if name == "uploads" else [])]
        yield [create, [*update, *allow, f"--update-labels={','.join(labels)}"]]  # gcloud takes both only from `update`
    elif found != wanted:
        yield [[*update, *deployment.relabel(found.label), *flags, *(allow or ["--clear-cors"] * bool(found.cors))]]


def wanted_bucket(deployment: Deployment, name: str, soft_delete: str, days: int) -> Bucket:
    """The bucket as it should be."""
    return Bucket(
        location=deployment.options.region.upper(),
        uniform_access=True,
        public_access_prevention="enforced",
        soft_delete_seconds=int(soft_delete.removesuffix("d")) * DAY,
        lifecycle=tuple((action, age, ",".join(prefixes)) for action, age, prefixes in _rules(name, days)),
        cors=_cors(deployment, name),
        label=deployment.options.prefix,
    )


def _rules(name: str, days: int) -> Iterator[tuple[str, int, tuple[str, ...]]]:
    """Actions, with their ages in days and the prefixes of the objects; without these, of all objects."""
    yield "AbortIncompleteMultipartUpload", 7, ()
    if name == "results":
        yield "Delete", lifecycle.NOTES_DAYS, (lifecycle.NOTES,)
    if days:
        yield "Delete", days, EXPIRING.get(name, ())


def _lifecycle(name: str, days: int) -> str:
    rules: list[Json] = [
        {"action": {"type": action}, "condition": {"age": age, **({"matchesPrefix": prefixes} if prefixes else {})}}
        for action, age, prefixes in _rules(name, days)
    ]
    return json.dumps({"rule": rules})


def _cors(deployment: Deployment, name: str) -> str:
    """Pages send files to the uploads bucket, and read outputs in the results bucket."""
    origins = deployment.origins
    rules = {"uploads": [cors.of_uploads(origins, deployment.routes)], "results": [cors.of_results(origins)]}
    return sorted_json(rules.get(name))
