"""The checker of `make chaos` finds faults that agree with each other, or that a small difference gives away."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.checker import job_id
from tests.chaos.evidence import Evidence
from tests.chaos.test_checker import (
    BROKEN,
    MANIFEST,
    TEXT,
    TEXT_ID,
    Plant,
    beside,
    checked,
    edited,
    evidence_of,
    instead,
    kept,
    notice,
    result,
    retold,
    sound,
    told_also,
)

STEP_ID = f"{TEXT_ID}-text-1"


def posted(identity: str, data: dict[str, Any]) -> Plant:
    """Plant another post."""
    return lambda sound: replace(sound, posted=[*sound.posted, (identity, json.dumps({"data": data}).encode())])


def posted_instead(data: dict[str, Any]) -> Plant:
    """Plant one post in place of all."""
    return lambda sound: posted(job_id(BROKEN), data)(replace(sound, posted=[]))


def with_attribute(identity: str, verdict: str) -> Plant:
    return retold(identity, lambda one: replace(one, attributes={**one.attributes, "verdict": verdict}))


def with_field(identity: str, **fields: Any) -> Plant:
    return retold(identity, lambda one: replace(one, data=json.dumps(json.loads(one.data) | fields).encode()))


def with_more_steps(sound: Evidence) -> Evidence:
    steps = next(json.loads(one.data)["steps"] for one in sound.told if one.id == TEXT_ID)
    return with_field(TEXT_ID, steps=[*steps, result("other", "succeeded")])(sound)


def early_by_a_millisecond(sound: Evidence) -> Evidence:
    created = sound.objects[MANIFEST].created
    return retold(STEP_ID, lambda one: replace(one, published=created - 0.001))(sound)


CONFLICTING: dict[str, Plant] = {
    "two posts of one id": posted(job_id(BROKEN), {"verdict": "failed"}),
    "a post unlike its notice": posted_instead({"verdict": "failed"}),
    "a post of a verdict that the webhook does not want": posted(TEXT_ID, {"verdict": "succeeded"}),
    "a post of an unknown upload": posted("x-1", {"verdict": "failed"}),
    "an attribute of a step's notice unlike its body": with_attribute(STEP_ID, "failed"),
    "an attribute of a job's notice unlike its body": with_attribute(TEXT_ID, "failed"),
    "a step's notice with another file": with_field(STEP_ID, file={"name": "x", "generation": "1", "crc32c": ""}),
    "a job's notice with another generation": with_field(TEXT_ID, file={"name": TEXT.name, "generation": "1", "crc32c": ""}),
    "a job's notice with a step too many": with_more_steps,
    "a job that succeeded with a step that failed": instead(TEXT, evidence_of(TEXT, "succeeded", [result("text", "failed")])),
    "a step that succeeded and made nothing": instead(TEXT, evidence_of(TEXT, "succeeded", [result("text", "succeeded")])),
    "a manifest that was replaced by equal bytes": lambda sound: beside(replace(sound.objects[MANIFEST], is_live=False))(sound),
    "a manifest that says less": edited(MANIFEST, '"outputs": [{', '"outputs": [], "was": [{'),
    "an entry of an unknown upload": beside(kept("index/succeeded/0000000000000001-x-1", b"", 200)),
    "a repeated notice with other attributes": told_also(replace(notice(TEXT, "", {}, 100), data=b"{}")),
}


@pytest.mark.parametrize("plant", CONFLICTING.values(), ids=CONFLICTING)
def test_a_conflict_is_found(plant: Plant) -> None:
    assert checked(plant(sound())).conflicting


def test_a_notice_a_millisecond_before_its_manifest_is_early() -> None:
    assert checked(early_by_a_millisecond(sound())).early
