"""The unary methods of Pub/Sub: what gRPC and REST both call, and the type of their requests."""

from collections.abc import Awaitable, Callable
from typing import Any

from local.pubsub import messages
from local.pubsub.broker import Broker
from local.pubsub.policies import Policies
from local.pubsub.publisher import Publisher
from local.pubsub.subscriber import Subscriber

#: A method and the class of its requests.
Method = tuple[Callable[[Any], Awaitable[Any]], Any]


def unary_methods(broker: Broker) -> dict[str, dict[str, Method]]:
    """gRPC service → method → handler and request type."""
    publisher, subscriber, policies = Publisher(broker), Subscriber(broker), Policies(broker)
    return {
        "google.pubsub.v1.Publisher": {
            "CreateTopic": (publisher.create_topic, messages.Topic),
            "UpdateTopic": (publisher.update_topic, messages.UpdateTopicRequest),
            "GetTopic": (publisher.get_topic, messages.GetTopicRequest),
            "ListTopics": (publisher.list_topics, messages.ListTopicsRequest),
            "ListTopicSubscriptions": (publisher.list_topic_subscriptions, messages.ListTopicSubscriptionsRequest),
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
        },
        "google.iam.v1.IAMPolicy": {
            "GetIamPolicy": (policies.get_iam_policy, messages.GetIamPolicyRequest),
            "SetIamPolicy": (policies.set_iam_policy, messages.SetIamPolicyRequest),
            "TestIamPermissions": (policies.test_iam_permissions, messages.TestIamPermissionsRequest),
        },
    }
