"""Showing a file: all runs of its newest generation with their steps; the generations before, page by page."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from shared import progress, status
from shared.cloud.protocols import Cloud
from shared.model import Json, file_id
from shared.operations import remedy
from shared.processors.registry import FACTS_NAME

#: Largest `facts.json` that is read; of more facts the answer has the output only.
MAX_FACTS_BYTES = 1 << 20
#: Objects and lists inside each other.
MAX_DEPTH = 32


def show(name: str, cloud: Cloud, older: str = "") -> Json:
    """The state of an object by its newest run, and all `runs` of this generation, newest first.

    With the token `older` of an answer, a page of the generations before: `jobs`, each by its newest run. A run that may be lost
    has its `remedy`. Raises `NotFound` for an unknown name, `BadRequest` for another token.
    """
    identity = file_id(cloud.settings.uploads_bucket, name)
    if older:
        page = status.earlier(identity, older, cloud)
        return {"object": name, **page, "jobs": _with_remedies(page["jobs"], cloud)}
    newest = status.of_object(name, cloud)
    before = [progress.find(identity, int(newest["generation"]), cloud, number) for number in reversed(range(newest["run"]))]
    head = {key: newest[key] for key in ("object", "file_id", "generation", "state", "older")}
    return {**head, "runs": _with_remedies([newest, *(progress.describe(one, cloud) for one in before if one)], cloud)}


def _with_remedies(runs: Iterable[Json], cloud: Cloud) -> list[Json]:
    now = datetime.now(UTC)
    return [run | ({"remedy": found} if (found := remedy.of(run, cloud, now)) else {}) for run in runs]


def facts(step: Json, cloud: Cloud) -> Json:
    """The facts of a step of an answer: those in its manifest, else those of `facts.json`.

    Empty where that is too large, or no JSON that can be read: the sandbox's child wrote it.
    """
    stored = next((one for one in step.get("outputs", ()) if one["name"] == FACTS_NAME), None)
    if step.get("facts") or not stored or stored["size"] > MAX_FACTS_BYTES:
        return dict(step.get("facts") or {})
    try:
        found = json.loads(cloud.results.read(stored["object"]) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and _is_shallow(found) else {}


def _is_shallow(value: object, levels: int = MAX_DEPTH) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels > 0 and all(_is_shallow(one, levels - 1) for one in inner)
