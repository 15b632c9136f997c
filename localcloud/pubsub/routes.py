"""Every unary method: handler, request and REST route, as google/pubsub/v1/pubsub.proto declares them.

StreamingPull exists in gRPC only; `rpc.py` adds it.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from localcloud.errors import ApiError
from localcloud.pubsub import messages
from localcloud.pubsub.api import acknowledgements, policies, pull, schemas, snapshots, subscriptions, topics
from localcloud.pubsub.delivery.broker import Broker


@dataclass(frozen=True, slots=True)
class Method:
    """A handler, the class of its request, its REST route, and the request's field that the path sets.

    A route is verb and path below `/v1/projects/*/`. `{kind}` stands for topics, subscriptions and snapshots.
    """

    handler: Callable[[Broker, Any], Awaitable[Any]]
    request: Any
    route: str
    field: str


#: gRPC service → method name → method
METHODS: dict[str, dict[str, Method]] = {
    "google.pubsub.v1.Publisher": {
        "CreateTopic": Method(topics.create, messages.Topic, "PUT topics/*", "name"),
        "UpdateTopic": Method(topics.update, messages.UpdateTopicRequest, "PATCH topics/*", "topic.name"),
        "GetTopic": Method(topics.get, messages.GetTopicRequest, "GET topics/*", "topic"),
        "ListTopics": Method(topics.list_, messages.ListTopicsRequest, "GET topics", "project"),
        "ListTopicSubscriptions": Method(
            topics.list_subscriptions, messages.ListTopicSubscriptionsRequest, "GET topics/*/subscriptions", "topic"
        ),
        "ListTopicSnapshots": Method(
            topics.list_snapshots, messages.ListTopicSnapshotsRequest, "GET topics/*/snapshots", "topic"
        ),
        "DeleteTopic": Method(topics.delete, messages.DeleteTopicRequest, "DELETE topics/*", "topic"),
        "Publish": Method(topics.publish, messages.PublishRequest, "POST topics/*:publish", "topic"),
        "DetachSubscription": Method(
            subscriptions.detach, messages.DetachSubscriptionRequest, "POST subscriptions/*:detach", "subscription"
        ),
    },
    "google.pubsub.v1.Subscriber": {
        "CreateSubscription": Method(subscriptions.create, messages.Subscription, "PUT subscriptions/*", "name"),
        "UpdateSubscription": Method(
            subscriptions.update, messages.UpdateSubscriptionRequest, "PATCH subscriptions/*", "subscription.name"
        ),
        "GetSubscription": Method(subscriptions.get, messages.GetSubscriptionRequest, "GET subscriptions/*", "subscription"),
        "ListSubscriptions": Method(subscriptions.list_, messages.ListSubscriptionsRequest, "GET subscriptions", "project"),
        "DeleteSubscription": Method(
            subscriptions.delete, messages.DeleteSubscriptionRequest, "DELETE subscriptions/*", "subscription"
        ),
        "ModifyPushConfig": Method(
            subscriptions.modify_push_config,
            messages.ModifyPushConfigRequest,
            "POST subscriptions/*:modifyPushConfig",
            "subscription",
        ),
        "Pull": Method(pull.pull, messages.PullRequest, "POST subscriptions/*:pull", "subscription"),
        "Acknowledge": Method(
            acknowledgements.acknowledge, messages.AcknowledgeRequest, "POST subscriptions/*:acknowledge", "subscription"
        ),
        "ModifyAckDeadline": Method(
            acknowledgements.modify_deadline,
            messages.ModifyAckDeadlineRequest,
            "POST subscriptions/*:modifyAckDeadline",
            "subscription",
        ),
        "Seek": Method(snapshots.seek, messages.SeekRequest, "POST subscriptions/*:seek", "subscription"),
        "CreateSnapshot": Method(snapshots.create, messages.CreateSnapshotRequest, "PUT snapshots/*", "name"),
        "UpdateSnapshot": Method(snapshots.update, messages.UpdateSnapshotRequest, "PATCH snapshots/*", "snapshot.name"),
        "GetSnapshot": Method(snapshots.get, messages.GetSnapshotRequest, "GET snapshots/*", "snapshot"),
        "ListSnapshots": Method(snapshots.list_, messages.ListSnapshotsRequest, "GET snapshots", "project"),
        "DeleteSnapshot": Method(snapshots.delete, messages.DeleteSnapshotRequest, "DELETE snapshots/*", "snapshot"),
    },
    "google.pubsub.v1.SchemaService": {
        "ListSchemas": Method(schemas.list_, messages.ListSchemasRequest, "GET schemas", "parent"),
    },
    "google.iam.v1.IAMPolicy": {
        "GetIamPolicy": Method(policies.get, messages.GetIamPolicyRequest, "GET {kind}/*:getIamPolicy", "resource"),
        "SetIamPolicy": Method(policies.set_, messages.SetIamPolicyRequest, "POST {kind}/*:setIamPolicy", "resource"),
        "TestIamPermissions": Method(
            policies.test, messages.TestIamPermissionsRequest, "POST {kind}/*:testIamPermissions", "resource"
        ),
    },
}


def operation(service: str, name: str) -> str:
    """`google.pubsub.v1.Publisher`, `Publish` → `Publisher.Publish`."""
    return f"{service.rpartition('.')[2]}.{name}"


_ROUTES = {
    method.route.format(kind=kind): (operation(service, name), method)
    for service, methods in METHODS.items()
    for name, method in methods.items()
    for kind in ("topics", "subscriptions", "snapshots")
}
_PATH = re.compile(r"/v1/(?P<project>projects/[^/]+)/(?P<kind>\w+)(?:/(?P<id>[^/:]+)(?P<rest>[/:]\w+)?)?")


def operations() -> list[str]:
    """Every method of the local Pub/Sub, as `Publisher.Publish`."""
    unary = [operation(service, name) for service, methods in METHODS.items() for name in methods]
    return sorted([*unary, "Subscriber.StreamingPull"])


def find_route(verb: str, path: str) -> tuple[str, Method, str]:
    """Operation, method and named resource of a REST request. Raises `ApiError` (UNIMPLEMENTED, NOT_FOUND)."""
    if match := _PATH.fullmatch(path):
        project, kind, id_, rest = match["project"], match["kind"], match["id"], match["rest"] or ""
        shape, name = (f"{kind}/*{rest}", f"{project}/{kind}/{id_}") if id_ else (kind, project)
        if found := _ROUTES.get(f"{verb} {shape}"):
            return *found, name
    if path.startswith("/v1/projects/"):
        raise ApiError("UNIMPLEMENTED", f"The local Pub/Sub does not support {verb} {path}.")
    raise ApiError("NOT_FOUND", f"The requested URL {path} was not found on this server.")
