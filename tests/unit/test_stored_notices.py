"""Notices are cut from stored JSON: manifests of another release give the bytes that it published itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared import manifest, pipeline
from shared.events import Notice
from shared.manifest import Manifest
from shared.testing import FakeCloud
from tests.conftest import DATA

#: Each folder has the manifests of a job, as objects of that release, and the notices that it published.
RELEASES = DATA / "manifests"


def stored(folder: Path, cloud: FakeCloud) -> list[Manifest]:
    """Put a release's manifests into the results bucket; in the order of their tasks."""
    found = []
    for path in sorted(folder.glob("*.json")):
        body: dict[str, Any] = json.loads(path.read_text())
        if path.name != "notices.json":
            job = body["job"]
            name = f"jobs/{job['file_id']}/{job['file']['generation']}/{job['run']}/{path.name}"
            cloud.results.put(name, path.read_bytes(), "application/json")
            found.append(manifest.read(body))
    manifests = [one for one in found if isinstance(one, Manifest)]
    assert len(manifests) == len(found)
    return sorted(manifests, key=lambda one: one.place)


def recorded(folder: Path) -> list[Notice]:
    notices = json.loads((folder / "notices.json").read_text())
    return [Notice(one["data"].encode(), one["attributes"]) for one in notices]


@pytest.mark.parametrize("release", ["older", "newer"])
def test_manifests_of_another_release_give_its_own_notices(cloud: FakeCloud, release: str) -> None:
    for one in stored(RELEASES / release, cloud):
        pipeline.finish(one, cloud)

    assert cloud.completions.notices == recorded(RELEASES / release)


def test_a_task_that_comes_after_a_manifest_of_a_newer_release_is_queued(cloud: FakeCloud) -> None:
    first, second = stored(RELEASES / "newer", cloud)
    pipeline.finish(first, cloud)

    assert [task.place for task in cloud.queue.added.values()] == [second.place]
