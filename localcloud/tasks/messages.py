"""Google's protobuf classes for Cloud Tasks v2."""

from typing import Any

from google.cloud.tasks_v2 import types
from google.iam.v1 import iam_policy_pb2

# proto-plus wrappers cost ten times as much per field.
CreateTaskRequest: Any = types.CreateTaskRequest.pb()
ListQueuesResponse: Any = types.ListQueuesResponse.pb()
ListTasksResponse: Any = types.ListTasksResponse.pb()
Queue: Any = types.Queue.pb()
SetIamPolicyRequest: Any = iam_policy_pb2.SetIamPolicyRequest
Task: Any = types.Task.pb()
TestIamPermissionsRequest: Any = iam_policy_pb2.TestIamPermissionsRequest

# Enums of plain protobuf classes are numbers (task.proto, Task.View; queue.proto, Queue.State).
BASIC, FULL = 1, 2
RUNNING, PAUSED = 1, 2
