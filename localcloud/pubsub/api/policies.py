"""The methods of google.iam.v1.IAMPolicy. Policies are stored and returned, never enforced."""

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

from google.protobuf.json_format import MessageToDict

from localcloud.errors import ApiError
from localcloud.policies import merged
from localcloud.protobuf import fill
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.delivery.subscription import Subscription
from localcloud.pubsub.delivery.topic import Snapshot, Topic
from localcloud.pubsub.messages import Policy, TestIamPermissionsResponse

#: The etag that Google returns for a policy that was never set ("ACAB" in JSON).
_NO_ETAG = b"\x00\x20\x01"


async def get(broker: Broker, request: Any) -> Any:
    """GetIamPolicy."""
    return _policy(_find(broker, request.resource)[0].policy)


async def set_(broker: Broker, request: Any) -> Any:
    """SetIamPolicy. Raises `ApiError` (ABORTED) for an etag that is not the current one."""
    resource, save = _find(broker, request.resource)
    if request.policy.etag and request.policy.etag != _policy(resource.policy).etag:
        raise ApiError("ABORTED", "There were concurrent policy changes. Please retry the whole read-modify-write.")
    content = MessageToDict(request.policy)
    policy = fill(Policy(), content | {"bindings": merged(content.get("bindings", [])), "etag": ""})
    policy.etag = hashlib.sha256(policy.SerializeToString(deterministic=True)).digest()[:8]
    resource.policy = policy.SerializeToString()
    save()
    return policy


async def test(broker: Broker, request: Any) -> Any:
    """TestIamPermissions."""
    _find(broker, request.resource)
    return TestIamPermissionsResponse(permissions=request.permissions)


def _find(broker: Broker, name: str) -> tuple[Topic | Subscription | Snapshot, Callable[[], None]]:
    """A resource, and the function that saves it."""
    if "/subscriptions/" in name:
        subscription = broker.subscription(name)
        return subscription, partial(broker.save_subscription, subscription, subscription.message)
    if "/snapshots/" in name:
        snapshot = broker.snapshot(name)
        return snapshot, partial(broker.save_snapshot, snapshot)
    topic = broker.topic(name)
    return topic, partial(broker.save_topic, topic)


def _policy(stored: bytes) -> Any:
    return Policy.FromString(stored) if stored else Policy(etag=_NO_ETAG)
