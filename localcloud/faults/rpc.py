"""Faults of gRPC calls: an error status, a delay, a freeze. Rules match the full method name."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

from localcloud.clock import Clock
from localcloud.errors import CANONICAL
from localcloud.faults.rules import Faults

#: HTTP status of a rule → gRPC code, as Google's front end maps them
_CODES = dict(reversed(list(CANONICAL.values())))


class Interceptor(grpc.aio.ServerInterceptor):
    """Applies the rules of one service to every call of a gRPC server."""

    def __init__(self, service: str, faults: Faults, clock: Clock) -> None:
        self._service = service
        self._faults = faults
        self._clock = clock

    async def intercept_service(self, continuation: Callable[..., Awaitable[Any]], details: grpc.HandlerCallDetails) -> Any:
        """gRPC calls this for each call, before it looks up the handler."""
        await self._faults.wait_until_thawed(self._service, details.method)
        rule = self._faults.take(self._service, details.method)
        handler = await continuation(details)
        if rule and rule.kind == "delay":
            await self._clock.sleep(rule.seconds)
        if rule is None or rule.kind == "delay" or handler is None:
            return handler
        status = rule.status if rule.kind == "answer" else 503
        return _refusal(_CODES.get(status, grpc.StatusCode.UNKNOWN), handler.response_streaming)


def _refusal(code: grpc.StatusCode, streaming: bool) -> Any:
    async def refuse(_request: Any, context: Any) -> Any:
        await context.abort(code, "planted by a fault rule")

    return grpc.stream_stream_rpc_method_handler(refuse) if streaming else grpc.unary_unary_rpc_method_handler(refuse)
