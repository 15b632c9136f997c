"""IAM policies of queues: kept and given back. Nobody is refused anything in the local cloud."""

import base64
import hashlib
import json

from google.protobuf import json_format

from localcloud.errors import ApiError
from localcloud.tasks.api.queues import existing
from localcloud.tasks.messages import SetIamPolicyRequest, TestIamPermissionsRequest, parse
from localcloud.tasks.service import Call, Reply, Service


def get(service: Service, call: Call) -> Reply:
    """POST …/queues/Q:getIamPolicy"""
    return _with_etag(json.loads(existing(service, call.name).policy))


def set_(service: Service, call: Call) -> Reply:
    """POST …/queues/Q:setIamPolicy; an etag that is not the current one is refused."""
    queue = existing(service, call.name)
    request = parse(call.body, SetIamPolicyRequest())
    if not request.HasField("policy"):
        raise ApiError("INVALID_ARGUMENT", "SetIamPolicyRequest.policy is required.")
    policy = json_format.MessageToDict(request.policy)
    current = _with_etag(json.loads(queue.policy))["etag"]
    if policy.pop("etag", current) != current:
        raise ApiError("ABORTED", "There were concurrent policy changes. Please retry the whole read-modify-write.")
    queue.policy = json.dumps(policy)
    service.store.save_queue(queue)
    return _with_etag(policy)


def test(service: Service, call: Call) -> Reply:
    """POST …/queues/Q:testIamPermissions: all that is asked for."""
    existing(service, call.name)
    return {"permissions": list(parse(call.body, TestIamPermissionsRequest()).permissions)}


def _with_etag(policy: dict[str, object]) -> dict[str, object]:
    digest = hashlib.sha256(json.dumps(policy, sort_keys=True).encode()).digest()
    return {"version": 1} | policy | {"etag": base64.b64encode(digest[:9]).decode()}
