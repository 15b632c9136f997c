"""IAM policies of buckets: the bindings of a new one, and conditions."""

import json
from typing import Any

import pytest

from localcloud.http import Answer
from tests.localcloud.storage.direct import Service, shown

VIEWER = {"role": "roles/storage.objectViewer", "members": ["user:a@example.com"]}
CONDITIONAL = VIEWER | {"condition": {"title": "t", "expression": "true"}}


def get(direct: Service, bucket: str, query: str = "") -> Answer:
    return direct.call("GET", f"/storage/v1/b/{bucket}/iam?{query}")


def put(direct: Service, bucket: str, **policy: Any) -> Answer:
    return direct.call("PUT", f"/storage/v1/b/{bucket}/iam", json.dumps(policy).encode())


def test_a_new_bucket_has_the_legacy_roles(direct: Service) -> None:
    policy = shown(get(direct, direct.bucket()))

    owners, viewers = ["projectEditor:local-project", "projectOwner:local-project"], ["projectViewer:local-project"]
    assert {binding["role"]: binding["members"] for binding in policy["bindings"]} == {
        "roles/storage.legacyBucketOwner": owners,
        "roles/storage.legacyBucketReader": viewers,
        "roles/storage.legacyObjectOwner": owners,
        "roles/storage.legacyObjectReader": viewers,
    }
    assert (policy["version"], policy["etag"]) == (1, "CAAQAQ==")


def test_an_empty_policy_stays_empty(direct: Service) -> None:
    bucket = direct.bucket()
    put(direct, bucket, bindings=[])

    assert shown(get(direct, bucket))["bindings"] == []


@pytest.mark.parametrize("version", [{}, {"version": 0}, {"version": 1}])
def test_a_condition_needs_version_3(direct: Service, version: dict[str, int]) -> None:
    bucket = direct.bucket()

    assert put(direct, bucket, bindings=[CONDITIONAL], **version).status == 400
    assert shown(get(direct, bucket))["bindings"][0]["role"] == "roles/storage.legacyBucketOwner"


@pytest.mark.parametrize("condition", ["x", ["x"], {"title": "t"}, {"expression": 1}, {"expression": ""}])
def test_a_malformed_condition_is_refused(direct: Service, condition: object) -> None:
    assert put(direct, direct.bucket(), version=3, bindings=[VIEWER | {"condition": condition}]).status == 400


@pytest.mark.parametrize("role", [{}, {"role": ""}, {"role": 5}, {"role": None}])
def test_a_binding_without_a_role_is_refused(direct: Service, role: dict[str, object]) -> None:
    assert put(direct, direct.bucket(), bindings=[{"members": ["allUsers"], **role}]).status == 400


def test_a_policy_with_conditions_is_read_and_replaced_at_version_3(direct: Service) -> None:
    bucket = direct.bucket()
    made = shown(put(direct, bucket, version=3, bindings=[CONDITIONAL]))

    assert made["version"] == 3
    assert [get(direct, bucket, query).status for query in ("", "optionsRequestedPolicyVersion=1")] == [400, 400]
    assert shown(get(direct, bucket, "optionsRequestedPolicyVersion=3")) == made
    assert put(direct, bucket, version=1, bindings=[VIEWER], etag=made["etag"]).status == 400
    assert shown(put(direct, bucket, version=3, bindings=[VIEWER], etag=made["etag"]))["version"] == 1
    assert get(direct, bucket).status == 200


def test_a_blind_write_replaces_any_policy(direct: Service) -> None:
    bucket = direct.bucket()
    put(direct, bucket, version=3, bindings=[CONDITIONAL])

    assert put(direct, bucket, bindings=[VIEWER]).status == 200


def test_bindings_of_one_role_and_condition_are_merged(direct: Service) -> None:
    bucket = direct.bucket()
    more = {"role": VIEWER["role"], "members": ["allUsers", "user:a@example.com"]}
    made = shown(put(direct, bucket, version=3, bindings=[VIEWER, CONDITIONAL, more, CONDITIONAL]))

    assert made["bindings"] == [VIEWER | {"members": ["user:a@example.com", "allUsers"]}, CONDITIONAL]
    assert shown(get(direct, bucket, "optionsRequestedPolicyVersion=3")) == made
