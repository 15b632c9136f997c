"""The unary methods of Pub/Sub: what gRPC and REST both call, and the type of their requests."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from localcloud.pubsub import messages
from localcloud.pubsub.api import policies, publisher, snapshots, subscriber
from localcloud.pubsub.delivery.broker import Broker

#: A method and the class of its requests.
Method = tuple[Callable[[Any], Awaitable[Any]], Any]

#: gRPC service → method → function and request type.
METHODS: dict[str, dict[str, tuple[Callable[[Broker, Any], Awaitable[Any]], Any]]] = {
    "google.pubsub.v1.Publisher": {
        "CreateTopic": (publisher.create_topic, messages.Topic),
        "UpdateTopic": (publisher.update_topic, messages.UpdateTopicRequest),
        "GetTopic": (publisher.get_topic, messages.GetTopicRequest),
        "ListTopics": (publisher.list_topics, messages.ListTopicsRequest),
        "ListTopicSubscriptions": (publisher.list_topic_subscriptions, messages.ListTopicSubscriptionsRequest),
        "ListTopicSnapshots": (snapshots.list_topic_snapshots, messages.ListTopicSnapshotsRequest),
        "DetachSubscription": (publisher.detach_subscription, messages.DetachSubscriptionRequest),
        "DeleteTopic": (publisher.delete_topic, messages.DeleteTopicRequest),
        "Publish": (publisher.publish, messages.PublishRequest),
    },
    "google.pubsub.v1.Subscriber": {
        "CreateSubscription": (subscriber.create_subscription, messages.Subscription),
        "GetSubscription": (subscriber.get_subscription, messages.GetSubscriptionRequest),
        "UpdateSubscription": (subscriber.update_subscription, messages.UpdateSubscriptionRequest),
        "ListSubscriptions": (subscriber.list_subscriptions, messages.ListSubscriptionsRequest),
        "DeleteSubscription": (subscriber.delete_subscription, messages.DeleteSubscriptionRequest),
        "ModifyPushConfig": (subscriber.modify_push_config, messages.ModifyPushConfigRequest),
        "Pull": (subscriber.pull, messages.PullRequest),
        "Acknowledge": (subscriber.acknowledge, messages.AcknowledgeRequest),
        "ModifyAckDeadline": (subscriber.modify_ack_deadline, messages.ModifyAckDeadlineRequest),
        "CreateSnapshot": (snapshots.create_snapshot, messages.CreateSnapshotRequest),
        "GetSnapshot": (snapshots.get_snapshot, messages.GetSnapshotRequest),
        "ListSnapshots": (snapshots.list_snapshots, messages.ListSnapshotsRequest),
        "UpdateSnapshot": (snapshots.update_snapshot, messages.UpdateSnapshotRequest),
        "DeleteSnapshot": (snapshots.delete_snapshot, messages.DeleteSnapshotRequest),
        "Seek": (snapshots.seek, messages.SeekRequest),
    },
    "google.iam.v1.IAMPolicy": {
        "GetIamPolicy": (policies.get_iam_policy, messages.GetIamPolicyRequest),
        "SetIamPolicy": (policies.set_iam_policy, messages.SetIamPolicyRequest),
        "TestIamPermissions": (policies.test_iam_permissions, messages.TestIamPermissionsRequest),
    },
}


def unary_methods(broker: Broker) -> dict[str, dict[str, Method]]:
    """The same for one broker."""
    return {
        service: {name: (partial(function, broker), request) for name, (function, request) in methods.items()}
        for service, methods in METHODS.items()
    }


def operations() -> list[str]:
    """What the local Pub/Sub can do, as `Publisher.Publish`."""
    unary = [f"{service.rpartition('.')[2]}.{name}" for service, methods in METHODS.items() for name in methods]
    return sorted([*unary, "Subscriber.StreamingPull"])
