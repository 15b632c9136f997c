"""Google's protobuf classes for Pub/Sub v1 and IAM v1."""

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
ListSchemasRequest: Any = types.ListSchemasRequest.pb()
ListSchemasResponse: Any = types.ListSchemasResponse.pb()
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
