"""gRPC surface: every method by its name, and refusals as gRPC states."""

from __future__ import annotations  # grpc's classes are generic only in its stubs

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from operator import attrgetter
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status

from localcloud.calls import Calls
from localcloud.errors import ApiError
from localcloud.pubsub.api.streaming import streaming_pull
from localcloud.pubsub.delivery.broker import Broker
from localcloud.pubsub.messages import StreamingPullRequest
from localcloud.pubsub.routes import METHODS, Method, operation
from localcloud.pubsub.rules.names import last

#: `json_format` finds only message types whose module is imported.
_ERROR_INFO = error_details_pb2.ErrorInfo

log = logging.getLogger(__name__)


def rpc_handlers(broker: Broker, calls: Calls) -> tuple[grpc.GenericRpcHandler, ...]:
    """Handlers for a grpc.aio server. The last one refuses every method that the others do not serve."""
    services = {
        service: {name: _unary(broker, method, calls, operation(service, name)) for name, method in methods.items()}
        for service, methods in METHODS.items()
    }
    services["google.pubsub.v1.Subscriber"]["StreamingPull"] = _streaming(broker, calls)
    generic = (grpc.method_handlers_generic_handler(service, methods) for service, methods in services.items())
    return (*generic, _Unsupported())


def _unary(broker: Broker, method: Method, calls: Calls, operation: str) -> grpc.RpcMethodHandler[Any, Any]:
    resource = attrgetter(method.field)

    async def serve(request: Any, context: Any) -> Any:
        calls[operation, last(resource(request))] += 1
        return await _guarded(method.handler(broker, request), context)

    return grpc.unary_unary_rpc_method_handler(serve, method.request.FromString, _serialize)


def _streaming(broker: Broker, calls: Calls) -> grpc.RpcMethodHandler[Any, Any]:
    async def serve(requests: AsyncIterator[Any], context: Any) -> None:
        calls["Subscriber.StreamingPull", ""] += 1
        await _guarded(streaming_pull(broker, requests, context), context)

    handler: Callable[..., Any] = serve
    return grpc.stream_stream_rpc_method_handler(handler, StreamingPullRequest.FromString, _serialize)


async def _guarded(reply: Awaitable[Any], context: Any) -> Any:
    try:
        return await reply
    except ApiError as error:
        await context.abort(error.grpc_code, error.message, _details(error))
    except (asyncio.CancelledError, grpc.RpcError):
        raise
    except Exception:
        # The log gets the cause; a client must not see our internals.
        log.exception("a Pub/Sub method failed")
        await context.abort(grpc.StatusCode.INTERNAL, "Internal error encountered.")


def _details(error: ApiError) -> tuple[tuple[str, bytes], ...]:
    """The error's details as trailing metadata, the place where Google's clients read them."""
    if not error.details:
        return ()
    status = Status(code=error.grpc_code.value[0], message=error.message)
    for detail in error.details:
        json_format.ParseDict(detail, status.details.add())
    return (("grpc-status-details-bin", status.SerializeToString()),)


class _Unsupported(grpc.GenericRpcHandler):
    """Answers UNIMPLEMENTED, naming the method."""

    def service(self, handler_call_details: Any) -> grpc.RpcMethodHandler[Any, Any]:
        name = handler_call_details.method

        async def refuse(_: Any, context: Any) -> None:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"The local Pub/Sub does not support {name}.")

        handler: Callable[..., Any] = refuse
        return grpc.unary_unary_rpc_method_handler(handler)


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()
