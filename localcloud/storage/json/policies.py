"""IAM over the JSON API: a bucket's policy, permissions, and the agent that publishes notifications."""

from dataclasses import replace
from typing import Any

from localcloud.http import Answer, Request, json_answer
from localcloud.storage.data.store import Store
from localcloud.storage.errors import condition_failed, invalid, unsupported
from localcloud.storage.model import Bucket
from localcloud.storage.rules.buckets import POLICY_VERSIONS, check_public, default_bindings, policy_settings
from localcloud.storage.rules.conditions import number
from localcloud.storage.rules.parameters import MAX_BODY_BYTES
from localcloud.storage.rules.resources import etag, project_number


async def get_policy(store: Store, request: Request, name: str) -> Answer:
    """GET /b/B/iam. 400 for a policy with conditions, unless the client asks for version 3."""
    policy = _policy(store.bucket(name))
    _check_version("Requested", number(request.query, "optionsRequestedPolicyVersion") or 1, policy)
    return json_answer(policy)


async def set_policy(store: Store, request: Request, name: str) -> Answer:
    """PUT /b/B/iam. The policy is stored and shown, but not enforced."""
    body = await request.json(MAX_BODY_BYTES)
    bucket = store.bucket(name)
    if not isinstance(body.get("etag", ""), str | None):
        raise invalid("etag must be a string.")
    if body.get("etag") not in (None, "", _policy(bucket)["etag"]):
        raise condition_failed()
    if body.get("etag"):  # without one, a client replaces the policy whatever it is
        _check_version("Specified", body.get("version") or 1, _policy(bucket))
    policy = policy_settings(body) | {"number": bucket.policy.get("number", 1) + 1}
    check_public(bucket.settings, policy["bindings"])
    return json_answer(_policy(store.save_bucket(replace(bucket, policy=policy))))


async def test_permissions(store: Store, request: Request, name: str, method: str) -> Answer:
    """GET /b/B/iam/testPermissions. Every client has every permission."""
    store.bucket(name)
    if method != "testPermissions":
        raise unsupported(f"iam/{method}")
    asked = [value for key, _, value in (pair.partition("=") for pair in request.raw_query.split("&"))]
    return json_answer({"kind": "storage#testIamPermissionsResponse", "permissions": [a for a in asked if "storage." in a]})


async def service_account(_store: Store, _request: Request, project: str) -> Answer:
    """GET /projects/P/serviceAccount"""
    email = f"service-{project_number(project)}@gs-project-accounts.iam.gserviceaccount.com"
    return json_answer({"kind": "storage#serviceAccount", "email_address": email})


def _policy(bucket: Bucket) -> dict[str, Any]:
    return {
        "kind": "storage#policy",
        "resourceId": f"projects/_/buckets/{bucket.name}",
        "version": bucket.policy.get("version", 1),
        "etag": etag(0, bucket.policy.get("number", 1)),
        "bindings": bucket.policy.get("bindings", default_bindings(bucket.project)),
    }


def _check_version(whose: str, version: Any, existing: dict[str, Any]) -> None:
    if version != 3 and existing["version"] == 3:
        known = f"cannot be less than the existing policy version (3). {POLICY_VERSIONS}"
        raise invalid(f"{whose} policy version ({str(version)[:20]}) {known}")
