"""Google's own message classes for Pub/Sub v1 and IAM v1, and small conversions of their fields."""

from datetime import UTC, datetime
from typing import Any

from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.protobuf import empty_pb2
from google.pubsub_v1 import types

# The plain protobuf classes: proto-plus wrappers cost ten times as much per field.
AcknowledgeRequest: Any = types.AcknowledgeRequest.pb()
CreateSnapshotRequest: Any = types.CreateSnapshotRequest.pb()
DeleteSnapshotRequest: Any = types.DeleteSnapshotRequest.pb()
DeleteSubscriptionRequest: Any = types.DeleteSubscriptionRequest.pb()
DeleteTopicRequest: Any = types.DeleteTopicRequest.pb()
DetachSubscriptionRequest: Any = types.DetachSubscriptionRequest.pb()
DetachSubscriptionResponse: Any = types.DetachSubscriptionResponse.pb()
GetSnapshotRequest: Any = types.GetSnapshotRequest.pb()
GetSubscriptionRequest: Any = types.GetSubscriptionRequest.pb()
GetTopicRequest: Any = types.GetTopicRequest.pb()
ListSnapshotsRequest: Any = types.ListSnapshotsRequest.pb()
ListSnapshotsResponse: Any = types.ListSnapshotsResponse.pb()
ListSubscriptionsRequest: Any = types.ListSubscriptionsRequest.pb()
ListSubscriptionsResponse: Any = types.ListSubscriptionsResponse.pb()
ListTopicSnapshotsRequest: Any = types.ListTopicSnapshotsRequest.pb()
ListTopicSnapshotsResponse: Any = types.ListTopicSnapshotsResponse.pb()
ListTopicSubscriptionsRequest: Any = types.ListTopicSubscriptionsRequest.pb()
ListTopicSubscriptionsResponse: Any = types.ListTopicSubscriptionsResponse.pb()
ListTopicsRequest: Any = types.ListTopicsRequest.pb()
ListTopicsResponse: Any = types.ListTopicsResponse.pb()
ModifyAckDeadlineRequest: Any = types.ModifyAckDeadlineRequest.pb()
ModifyPushConfigRequest: Any = types.ModifyPushConfigRequest.pb()
PublishRequest: Any = types.PublishRequest.pb()
PublishResponse: Any = types.PublishResponse.pb()
PubsubMessage: Any = types.PubsubMessage.pb()
PullRequest: Any = types.PullRequest.pb()
PullResponse: Any = types.PullResponse.pb()
SeekRequest: Any = types.SeekRequest.pb()
SeekResponse: Any = types.SeekResponse.pb()
Snapshot: Any = types.Snapshot.pb()
StreamingPullRequest: Any = types.StreamingPullRequest.pb()
StreamingPullResponse: Any = types.StreamingPullResponse.pb()
Subscription: Any = types.Subscription.pb()
Topic: Any = types.Topic.pb()
UpdateSnapshotRequest: Any = types.UpdateSnapshotRequest.pb()
UpdateSubscriptionRequest: Any = types.UpdateSubscriptionRequest.pb()
UpdateTopicRequest: Any = types.UpdateTopicRequest.pb()

Empty: Any = empty_pb2.Empty
GetIamPolicyRequest: Any = iam_policy_pb2.GetIamPolicyRequest
Policy: Any = policy_pb2.Policy
SetIamPolicyRequest: Any = iam_policy_pb2.SetIamPolicyRequest
TestIamPermissionsRequest: Any = iam_policy_pb2.TestIamPermissionsRequest
TestIamPermissionsResponse: Any = iam_policy_pb2.TestIamPermissionsResponse

ACTIVE = int(types.Subscription.State.ACTIVE)
TOPIC_ACTIVE = int(types.Topic.State.ACTIVE)


def copy(message: Any) -> Any:
    """A message of its own with the same content."""
    twin = type(message)()
    twin.CopyFrom(message)
    return twin


def seconds(duration: Any) -> float:
    """A Duration or Timestamp in seconds."""
    return float(duration.seconds + duration.nanos / 1e9)


def microseconds(timestamp: Any) -> int:
    """A Timestamp in microseconds since the epoch."""
    return int(timestamp.seconds * 1_000_000 + timestamp.nanos // 1000)


def rfc3339_milliseconds(timestamp: Any, zone: str = "Z") -> str:
    """A Timestamp as Pub/Sub writes publish times: `2027-01-15T08:00:00.123Z`."""
    moment = datetime.fromtimestamp(seconds(timestamp), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", zone)
