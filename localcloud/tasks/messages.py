"""Google's protobuf classes for Cloud Tasks v2."""

from typing import Any

from google.cloud.location import locations_pb2
from google.cloud.tasks_v2 import types
from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.protobuf import empty_pb2

# proto-plus wrappers cost ten times as much per field.
CreateQueueRequest: Any = types.CreateQueueRequest.pb()
CreateTaskRequest: Any = types.CreateTaskRequest.pb()
DeleteQueueRequest: Any = types.DeleteQueueRequest.pb()
DeleteTaskRequest: Any = types.DeleteTaskRequest.pb()
Empty: Any = empty_pb2.Empty
GetIamPolicyRequest: Any = iam_policy_pb2.GetIamPolicyRequest
GetLocationRequest: Any = locations_pb2.GetLocationRequest
GetQueueRequest: Any = types.GetQueueRequest.pb()
GetTaskRequest: Any = types.GetTaskRequest.pb()
ListLocationsRequest: Any = locations_pb2.ListLocationsRequest
ListLocationsResponse: Any = locations_pb2.ListLocationsResponse
ListQueuesRequest: Any = types.ListQueuesRequest.pb()
ListQueuesResponse: Any = types.ListQueuesResponse.pb()
ListTasksRequest: Any = types.ListTasksRequest.pb()
ListTasksResponse: Any = types.ListTasksResponse.pb()
Location: Any = locations_pb2.Location
PauseQueueRequest: Any = types.PauseQueueRequest.pb()
Policy: Any = policy_pb2.Policy
PurgeQueueRequest: Any = types.PurgeQueueRequest.pb()
Queue: Any = types.Queue.pb()
ResumeQueueRequest: Any = types.ResumeQueueRequest.pb()
RunTaskRequest: Any = types.RunTaskRequest.pb()
SetIamPolicyRequest: Any = iam_policy_pb2.SetIamPolicyRequest
Task: Any = types.Task.pb()
TestIamPermissionsRequest: Any = iam_policy_pb2.TestIamPermissionsRequest
TestIamPermissionsResponse: Any = iam_policy_pb2.TestIamPermissionsResponse
UpdateQueueRequest: Any = types.UpdateQueueRequest.pb()

# Enums of plain protobuf classes are numbers (task.proto, Task.View; queue.proto, Queue.State).
BASIC, FULL = 1, 2
RUNNING, PAUSED = 1, 2
