"""Showing a file: all runs of its newest generation with their steps; the generations before, page by page."""

from shared import progress, status
from shared.cloud.protocols import Cloud
from shared.model import Json, file_id


def show(name: str, cloud: Cloud, older: str = "") -> Json:
    """The state of an object by its newest run, and all `runs` of this generation, newest first.

    With the token `older` of an answer, a page of the generations before: `jobs`, each by its newest run. Raises `NotFound` for an
    unknown name, `BadRequest` for another token.
    """
    identity = file_id(cloud.settings.uploads_bucket, name)
    if older:
        return {"object": name, **status.earlier(identity, older, cloud)}
    newest = status.of_object(name, cloud)
    before = [progress.find(identity, int(newest["generation"]), cloud, number) for number in reversed(range(newest["run"]))]
    head = {key: newest[key] for key in ("object", "file_id", "generation", "state", "older")}
    return {**head, "runs": [newest, *(progress.describe(one, cloud) for one in before if one)]}
