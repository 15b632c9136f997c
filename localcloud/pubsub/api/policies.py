"""The methods of google.iam.v1.IAMPolicy: policies are kept and shown, and everyone may do everything."""

import hashlib
from collections.abc import Callable
from typing import Any

from localcloud.errors import ApiError
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.messages import Policy, TestIamPermissionsResponse, copy

#: What Google shows as the etag of a policy that was never set ("ACAB" in JSON).
_NO_ETAG = b"\x00\x20\x01"


async def get_iam_policy(broker: Broker, request: Any) -> Any:
    """GetIamPolicy."""
    return _shown(_find(broker, request.resource)[0])


async def set_iam_policy(broker: Broker, request: Any) -> Any:
    """SetIamPolicy; an etag that is not the current one is refused with ABORTED."""
    stored, save = _find(broker, request.resource)
    if request.policy.etag and request.policy.etag != _shown(stored).etag:
        raise ApiError("ABORTED", "There were concurrent policy changes. Please retry the whole read-modify-write.")
    policy = copy(request.policy)
    policy.etag = b""
    policy.etag = hashlib.sha256(policy.SerializeToString(deterministic=True)).digest()[:8]
    save(policy.SerializeToString())
    return policy


async def test_iam_permissions(broker: Broker, request: Any) -> Any:
    """TestIamPermissions."""
    _find(broker, request.resource)
    return TestIamPermissionsResponse(permissions=request.permissions)


def _find(broker: Broker, name: str) -> tuple[bytes, Callable[[bytes], None]]:
    """The stored policy of a resource, and how to keep another."""
    if "/subscriptions/" in name:
        subscription = broker.subscription(name)

        def save_subscription(policy: bytes) -> None:
            subscription.policy = policy
            broker.save_subscription(subscription, subscription.message)

        return subscription.policy, save_subscription
    if "/snapshots/" in name:
        snapshot = broker.snapshot(name)

        def save_snapshot(policy: bytes) -> None:
            snapshot.policy = policy
            broker.save_snapshot(snapshot)

        return snapshot.policy, save_snapshot
    topic = broker.topic(name)

    def save_topic(policy: bytes) -> None:
        topic.policy = policy
        broker.save_topic(topic)

    return topic.policy, save_topic


def _shown(stored: bytes) -> Any:
    return Policy.FromString(stored) if stored else Policy(etag=_NO_ETAG)
