"""gRPC surface: each method is a second way to the handler of its REST method.

A number of 0 in a gRPC request looks like one that was not given: a queue gets the default for it.
"""

from __future__ import annotations  # grpc's classes are generic only in its stubs

from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from localcloud.calls import Calls
from localcloud.clock import Clock
from localcloud.errors import ApiError
from localcloud.rpc import Unsupported, guarded, serialize
from localcloud.tasks import messages as m
from localcloud.tasks.api.call import Call
from localcloud.tasks.data.store import Store
from localcloud.tasks.delivery.dispatcher import Dispatcher
from localcloud.tasks.routes import handler_of
from localcloud.tasks.rules.names import queue_id


@dataclass(frozen=True, slots=True)
class Method:
    """Operation, classes of request and reply, and the fields with the resource's name and the body.

    The other fields are the query, as in REST. Without a `body` field, the whole request is the body.
    """

    operation: str
    request: Any
    reply: Any
    name: str = "name"
    body: str = ""


#: gRPC service → method name → method
_METHODS: dict[str, dict[str, Method]] = {
    "google.cloud.tasks.v2.CloudTasks": {
        "ListQueues": Method("queues.list", m.ListQueuesRequest, m.ListQueuesResponse, "parent"),
        "GetQueue": Method("queues.get", m.GetQueueRequest, m.Queue),
        "CreateQueue": Method("queues.create", m.CreateQueueRequest, m.Queue, "parent", "queue"),
        "UpdateQueue": Method("queues.patch", m.UpdateQueueRequest, m.Queue, "queue.name", "queue"),
        "DeleteQueue": Method("queues.delete", m.DeleteQueueRequest, m.Empty),
        "PurgeQueue": Method("queues.purge", m.PurgeQueueRequest, m.Queue),
        "PauseQueue": Method("queues.pause", m.PauseQueueRequest, m.Queue),
        "ResumeQueue": Method("queues.resume", m.ResumeQueueRequest, m.Queue),
        "GetIamPolicy": Method("queues.getIamPolicy", m.GetIamPolicyRequest, m.Policy, "resource"),
        "SetIamPolicy": Method("queues.setIamPolicy", m.SetIamPolicyRequest, m.Policy, "resource"),
        "TestIamPermissions": Method(
            "queues.testIamPermissions", m.TestIamPermissionsRequest, m.TestIamPermissionsResponse, "resource"
        ),
        "ListTasks": Method("tasks.list", m.ListTasksRequest, m.ListTasksResponse, "parent"),
        "GetTask": Method("tasks.get", m.GetTaskRequest, m.Task),
        "CreateTask": Method("tasks.create", m.CreateTaskRequest, m.Task, "parent"),
        "DeleteTask": Method("tasks.delete", m.DeleteTaskRequest, m.Empty),
        "RunTask": Method("tasks.run", m.RunTaskRequest, m.Task),
    },
    "google.cloud.location.Locations": {
        "ListLocations": Method("locations.list", m.ListLocationsRequest, m.ListLocationsResponse),
        "GetLocation": Method("locations.get", m.GetLocationRequest, m.Location),
    },
}


def rpc_handlers(store: Store, dispatcher: Dispatcher, clock: Clock, calls: Calls) -> tuple[grpc.GenericRpcHandler, ...]:
    """Handlers for a grpc.aio server. The last one refuses every method that the others do not serve."""
    surface = _Surface(store, dispatcher, clock, calls)
    services = {service: {name: surface.unary(each) for name, each in methods.items()} for service, methods in _METHODS.items()}
    services["google.cloud.tasks.v2beta3.CloudTasks"] = {"GetQueue": surface.get_queue_of_beta()}
    generic = (grpc.method_handlers_generic_handler(service, methods) for service, methods in services.items())
    return (*generic, Unsupported("Cloud Tasks"))


@dataclass(frozen=True, slots=True)
class _Surface:
    """The parts that every method acts on."""

    store: Store
    dispatcher: Dispatcher
    clock: Clock
    calls: Calls

    def unary(self, method: Method) -> grpc.RpcMethodHandler[Any, Any]:
        """The gRPC handler of a method."""

        async def serve(request: Any, context: Any) -> Any:
            return await guarded(self._answer(method, request), context)

        return grpc.unary_unary_rpc_method_handler(serve, method.request.FromString, serialize)

    def get_queue_of_beta(self) -> grpc.RpcMethodHandler[Any, Any]:
        """The one method of v2beta3."""

        async def serve(request: Any, context: Any) -> Any:
            return await guarded(self._answer(_beta(), request), context)

        return grpc.unary_unary_rpc_method_handler(serve, lambda data: _beta().request.FromString(data), serialize)

    async def _answer(self, method: Method, request: Any) -> Message:
        if self.dispatcher.is_stopped:
            raise ApiError("UNAVAILABLE", "The local Cloud Tasks is stopping.")
        name = attrgetter(method.name)(request)
        self.calls[method.operation, queue_id(name)] += 1
        body = getattr(request, method.body) if method.body else request
        call = Call(self.store, self.dispatcher, self.clock.time(), name, _query(request), b"", "", body)
        reply = handler_of(method.operation)(call)
        return reply if isinstance(reply, Message) else json_format.ParseDict(reply, method.reply())


@cache
def _beta() -> Method:
    from google.cloud.tasks_v2beta3 import types  # slow, and most programs do not need it

    return Method("queues.get (v2beta3)", types.GetQueueRequest.pb(), types.Queue.pb())


def _query(request: Any) -> dict[str, str]:
    """The fields that REST may take from the query, as it spells them."""
    query = {}
    for field, value in request.ListFields():
        if isinstance(value, FieldMask):
            query[field.json_name] = ",".join(value.paths)
        elif not isinstance(value, Message) and not field.is_repeated:
            query[field.json_name] = str(value)
    return query
