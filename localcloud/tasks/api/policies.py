"""IAM policies of queues. They are stored but not enforced: the local cloud allows every call."""

import base64
import hashlib
import json

from google.protobuf import json_format

from localcloud.errors import ApiError
from localcloud.policies import merged
from localcloud.tasks.api.call import Call, Reply
from localcloud.tasks.api.queues import existing
from localcloud.tasks.messages import GetIamPolicyRequest, SetIamPolicyRequest, TestIamPermissionsRequest


def get(call: Call) -> Reply:
    """POST …/queues/Q:getIamPolicy"""
    call.message(GetIamPolicyRequest())
    return _with_etag(json.loads(existing(call, call.name).policy))


def set_(call: Call) -> Reply:
    """POST …/queues/Q:setIamPolicy. Raises `ApiError` (ABORTED) when the policy has an outdated etag."""
    queue = existing(call, call.name)
    request = call.message(SetIamPolicyRequest())
    if not request.HasField("policy"):
        raise ApiError("INVALID_ARGUMENT", "SetIamPolicyRequest.policy is required.")
    policy = json_format.MessageToDict(request.policy)
    if "bindings" in policy:
        policy["bindings"] = merged(policy["bindings"])
    current = _with_etag(json.loads(queue.policy))["etag"]
    if policy.pop("etag", current) != current:
        raise ApiError("ABORTED", "There were concurrent policy changes. Please retry the whole read-modify-write.")
    queue.policy = json.dumps(policy)
    call.store.save_queue(queue)
    return _with_etag(policy)


def test(call: Call) -> Reply:
    """POST …/queues/Q:testIamPermissions: grants every permission."""
    existing(call, call.name)
    return {"permissions": list(call.message(TestIamPermissionsRequest()).permissions)}


def _with_etag(policy: dict[str, object]) -> dict[str, object]:
    digest = hashlib.sha256(json.dumps(policy, sort_keys=True).encode()).digest()
    return {"version": 1} | policy | {"etag": base64.b64encode(digest[:9]).decode()}
