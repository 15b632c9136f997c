"""gRPC surface: every method by its name."""

from __future__ import annotations  # grpc's classes are generic only in its stubs

from collections.abc import AsyncIterator, Callable
from operator import attrgetter
from typing import Any

import grpc

from localcloud.calls import Calls
from localcloud.pubsub.api import topics
from localcloud.pubsub.api.streaming import streaming_pull
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.messages import PublishRequest, StreamingPullRequest
from localcloud.pubsub.routes import METHODS, Method, operation
from localcloud.pubsub.rules.names import last
from localcloud.rpc import Unsupported, guarded, serialize


def rpc_handlers(broker: Broker, calls: Calls) -> tuple[grpc.GenericRpcHandler, ...]:
    """Handlers for a grpc.aio server. The last one refuses every method that the others do not serve."""
    services = {
        service: {name: _unary(broker, method, calls, operation(service, name)) for name, method in methods.items()}
        for service, methods in METHODS.items()
    }
    services["google.pubsub.v1.Publisher"]["Publish"] = _publish(broker, calls)
    services["google.pubsub.v1.Subscriber"]["StreamingPull"] = _streaming(broker, calls)
    generic = (grpc.method_handlers_generic_handler(service, methods) for service, methods in services.items())
    return (*generic, Unsupported("Pub/Sub"))


def _unary(broker: Broker, method: Method, calls: Calls, operation: str) -> grpc.RpcMethodHandler[Any, Any]:
    resource = attrgetter(method.field)

    async def serve(request: Any, context: Any) -> Any:
        calls[operation, last(resource(request))] += 1
        return await guarded(method.handler(broker, request), context)

    return grpc.unary_unary_rpc_method_handler(serve, method.request.FromString, serialize)


def _publish(broker: Broker, calls: Calls) -> grpc.RpcMethodHandler[Any, Any]:
    """Publish with the bytes of the request, which are stored as they are: large ones take long to serialize again."""

    async def serve(received: tuple[Any, bytes], context: Any) -> Any:
        request, body = received
        calls["Publisher.Publish", last(request.topic)] += 1
        return await guarded(topics.publish(broker, request, body), context)

    def parse(body: bytes) -> tuple[Any, bytes]:
        return PublishRequest.FromString(body), body

    return grpc.unary_unary_rpc_method_handler(serve, parse, serialize)


def _streaming(broker: Broker, calls: Calls) -> grpc.RpcMethodHandler[Any, Any]:
    async def serve(requests: AsyncIterator[Any], context: Any) -> None:
        calls["Subscriber.StreamingPull", ""] += 1
        await guarded(streaming_pull(broker, requests, context), context)

    handler: Callable[..., Any] = serve
    return grpc.stream_stream_rpc_method_handler(handler, StreamingPullRequest.FromString, serialize)
