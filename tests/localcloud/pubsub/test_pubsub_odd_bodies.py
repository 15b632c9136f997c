"""Odd values in any field of a body are accepted or refused with a reason, never answered with 500."""

from typing import Any

import pytest

from tests.localcloud.odd import shares, variants
from tests.localcloud.pubsub.test_pubsub_rest import call
from tests.localcloud.pubsub.world import World

_TOPIC = "projects/local-project/topics/orders"
_SUBSCRIPTION = {
    "topic": _TOPIC,
    "state": "ACTIVE",
    "pushConfig": {
        "pushEndpoint": "http://127.0.0.1:9/",
        "attributes": {"a": "b"},
        "oidcToken": {"serviceAccountEmail": "a@b.c", "audience": "d"},
        "noWrapper": {"writeMetadata": True},
    },
    "ackDeadlineSeconds": 10,
    "retainAckedMessages": False,
    "messageRetentionDuration": "600s",
    "labels": {"a": "b"},
    "expirationPolicy": {"ttl": "86400s"},
    "filter": "attributes:a",
    "deadLetterPolicy": {"deadLetterTopic": _TOPIC, "maxDeliveryAttempts": 5},
    "retryPolicy": {"minimumBackoff": "1s", "maximumBackoff": "2s"},
}
_MASK = "pushConfig,ackDeadlineSeconds,messageRetentionDuration,labels,expirationPolicy,deadLetterPolicy,retryPolicy"
_POLICY = {"policy": {"version": 1, "etag": "ACAB", "bindings": [{"role": "r", "members": ["user:a@b.c"]}]}}


@shares
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/topics/other", {"labels": {"a": "b"}, "messageRetentionDuration": "600s"}),
        ("PATCH", "/topics/orders", {"topic": {"labels": {"a": "b"}}, "updateMask": "labels"}),
        ("POST", "/topics/orders:publish", {"messages": [{"data": "YQ==", "attributes": {"a": "b"}, "orderingKey": "k"}]}),
        ("PUT", "/subscriptions/other", _SUBSCRIPTION),
        ("PATCH", "/subscriptions/sub", {"subscription": _SUBSCRIPTION, "updateMask": _MASK}),
        ("POST", "/subscriptions/sub:modifyPushConfig", {"pushConfig": _SUBSCRIPTION["pushConfig"]}),
        ("POST", "/subscriptions/sub:acknowledge", {"ackIds": ["a"]}),
        ("POST", "/subscriptions/sub:modifyAckDeadline", {"ackIds": ["a"], "ackDeadlineSeconds": 10}),
        ("POST", "/subscriptions/sub:seek", {"time": "2030-01-01T00:00:00Z"}),
        ("PUT", "/snapshots/snap", {"subscription": "projects/local-project/subscriptions/sub", "labels": {"a": "b"}}),
        ("POST", "/topics/orders:setIamPolicy", _POLICY),
        ("POST", "/topics/orders:testIamPermissions", {"permissions": ["a"]}),
    ],
)
def test_no_body_causes_a_server_error(world: World, method: str, path: str, body: Any, one_in: int) -> None:
    world.subscription("sub", world.topic("orders"))
    failed = []
    for variant in variants(body, one_in):
        code, answer = call(world, method, path, variant)
        if code >= 500:
            failed.append((variant, answer))
        if path.endswith(("/other", "/snap")):
            call(world, "DELETE", path)

    assert failed == []
    assert call(world, "GET", "/subscriptions/sub")[0] == 200


@pytest.mark.parametrize(
    "query", ["?topic=1&topic.name=2", "?topic.name=2&topic=1", "?topic.name.a=1", "?=1", "?.=1", "?..a=1&.=2"]
)
def test_no_query_causes_a_server_error(world: World, query: str) -> None:
    assert call(world, "PATCH", f"/topics/orders{query}", {})[0] == 400
