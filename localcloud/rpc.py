"""gRPC as the services share it: the server on a loopback port, refusals as states, unsupported methods."""

from __future__ import annotations  # grpc's classes are generic only in its stubs

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc
import grpc.aio
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status

from localcloud.address import HOST
from localcloud.errors import ApiError
from localcloud.server import bind

#: `json_format` finds only message types whose module is imported.
_DETAILS = error_details_pb2.ErrorInfo

_MAX_MESSAGE_BYTES = 32 << 20

log = logging.getLogger(__name__)

Handlers = Sequence[grpc.GenericRpcHandler]


class GrpcServer:
    """One service on one loopback port."""

    def __init__(
        self, handlers: Handlers, port: int, purpose: str, interceptors: Sequence[grpc.aio.ServerInterceptor] = ()
    ) -> None:
        self._handlers = handlers
        self._port = port
        self._purpose = purpose
        self._interceptors = interceptors
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        """Listen. Raises `PortInUse`."""
        bind(self._port, self._purpose).close()
        sizes = [(f"grpc.max_{way}_message_length", _MAX_MESSAGE_BYTES) for way in ("receive", "send")]
        server = grpc.aio.server(interceptors=list(self._interceptors), options=[*sizes, ("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers(tuple(self._handlers))
        server.add_insecure_port(f"{HOST}:{self._port}")
        await server.start()
        self._server = server

    async def stop(self) -> None:
        """Close the port; calls under way have a moment to end."""
        if self._server:
            await self._server.stop(grace=0.2)


async def guarded(reply: Awaitable[Any], context: Any) -> Any:
    """Await a reply; an `ApiError` becomes its gRPC state, any other error INTERNAL."""
    try:
        return await reply
    except ApiError as error:
        await context.abort(error.grpc_code, error.message, _details(error))
    except (asyncio.CancelledError, grpc.RpcError):
        raise
    except Exception:
        # The log gets the cause; a client must not see our internals.
        log.exception("a gRPC method failed")
        await context.abort(grpc.StatusCode.INTERNAL, "Internal error encountered.")


class Unsupported(grpc.GenericRpcHandler):
    """Answers UNIMPLEMENTED, naming the service and the method."""

    def __init__(self, service: str) -> None:
        self._service = service

    def service(self, handler_call_details: Any) -> grpc.RpcMethodHandler[Any, Any]:
        name = handler_call_details.method

        async def refuse(_: Any, context: Any) -> None:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"The local {self._service} does not support {name}.")

        handler: Callable[..., Any] = refuse
        return grpc.unary_unary_rpc_method_handler(handler)


def serialize(message: Message) -> bytes:
    """The bytes of an answer."""
    return message.SerializeToString()


def _details(error: ApiError) -> tuple[tuple[str, bytes], ...]:
    """The error's details as trailing metadata, the place where Google's clients read them."""
    if not error.details:
        return ()
    status = Status(code=error.grpc_code.value[0], message=error.message)
    for detail in error.details:
        json_format.ParseDict(detail, status.details.add())
    return (("grpc-status-details-bin", status.SerializeToString()),)
