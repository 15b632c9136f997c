"""Which REST request is which method (google/pubsub/v1/pubsub.proto, google.api.http)."""

import re
from dataclasses import dataclass

from localcloud.errors import ApiError


@dataclass(frozen=True, slots=True)
class Route:
    """A method, and the field of its request that the path fills."""

    method: str
    field: str


_KINDS = ("topics", "subscriptions", "snapshots")

# (HTTP method, kind of resource, what follows its name)
_ITEMS = {
    ("PUT", "topics", ""): Route("CreateTopic", "name"),
    ("GET", "topics", ""): Route("GetTopic", "topic"),
    ("PATCH", "topics", ""): Route("UpdateTopic", "topic.name"),
    ("DELETE", "topics", ""): Route("DeleteTopic", "topic"),
    ("POST", "topics", ":publish"): Route("Publish", "topic"),
    ("GET", "topics", "/subscriptions"): Route("ListTopicSubscriptions", "topic"),
    ("GET", "topics", "/snapshots"): Route("ListTopicSnapshots", "topic"),
    ("PUT", "subscriptions", ""): Route("CreateSubscription", "name"),
    ("GET", "subscriptions", ""): Route("GetSubscription", "subscription"),
    ("PATCH", "subscriptions", ""): Route("UpdateSubscription", "subscription.name"),
    ("DELETE", "subscriptions", ""): Route("DeleteSubscription", "subscription"),
    ("POST", "subscriptions", ":pull"): Route("Pull", "subscription"),
    ("POST", "subscriptions", ":acknowledge"): Route("Acknowledge", "subscription"),
    ("POST", "subscriptions", ":modifyAckDeadline"): Route("ModifyAckDeadline", "subscription"),
    ("POST", "subscriptions", ":modifyPushConfig"): Route("ModifyPushConfig", "subscription"),
    ("POST", "subscriptions", ":detach"): Route("DetachSubscription", "subscription"),
    ("POST", "subscriptions", ":seek"): Route("Seek", "subscription"),
    ("PUT", "snapshots", ""): Route("CreateSnapshot", "name"),
    ("GET", "snapshots", ""): Route("GetSnapshot", "snapshot"),
    ("PATCH", "snapshots", ""): Route("UpdateSnapshot", "snapshot.name"),
    ("DELETE", "snapshots", ""): Route("DeleteSnapshot", "snapshot"),
    **{("GET", kind, ":getIamPolicy"): Route("GetIamPolicy", "resource") for kind in _KINDS},
    **{("POST", kind, ":setIamPolicy"): Route("SetIamPolicy", "resource") for kind in _KINDS},
    **{("POST", kind, ":testIamPermissions"): Route("TestIamPermissions", "resource") for kind in _KINDS},
}
_LISTS = {
    "topics": Route("ListTopics", "project"),
    "subscriptions": Route("ListSubscriptions", "project"),
    "snapshots": Route("ListSnapshots", "project"),
}

_PATH = re.compile(r"/v1/(?P<name>projects/[^/]+/(?P<kind>\w+)/[^/:]+)(?P<rest>/[^/:]+|:\w+)?")
_COLLECTION = re.compile(r"/v1/(?P<project>projects/[^/]+)/(?P<kind>\w+)")


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route and the field that the path fills; raises UNIMPLEMENTED or NOT_FOUND naming the request."""
    if match := _PATH.fullmatch(path):
        if route := _ITEMS.get((method, match["kind"], match["rest"] or "")):
            return route, {route.field: match["name"]}
    elif match := _COLLECTION.fullmatch(path):
        route = _LISTS.get(match["kind"])
        if route and method == "GET":
            return route, {route.field: match["project"]}
    if path.startswith("/v1/projects/"):
        raise ApiError("UNIMPLEMENTED", f"The local Pub/Sub does not support {method} {path}.")
    raise ApiError("NOT_FOUND", f"The requested URL {path} was not found on this server.")
