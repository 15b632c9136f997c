"""REST v2: from a request to its handler, and errors as JSON."""

from urllib.parse import unquote

from localcloud.calls import Calls
from localcloud.clock import Clock
from localcloud.errors import ApiError
from localcloud.http import Answer, App, Request, asgi_app, json_bytes_answer
from localcloud.protobuf import to_json
from localcloud.tasks.api.call import Call
from localcloud.tasks.data.store import Store
from localcloud.tasks.delivery.dispatcher import Dispatcher
from localcloud.tasks.routes import find
from localcloud.tasks.rules.names import queue_id

#: Limit of Google's front end; the limit of one task is 1 MiB.
MAX_BODY_BYTES = 10 << 20


def rest_app(store: Store, dispatcher: Dispatcher, clock: Clock, calls: Calls) -> App:
    """The ASGI app. Once the dispatcher is stopped, it answers 503 on connections that are still open."""

    async def answer(request: Request) -> Answer:
        body = await request.read(MAX_BODY_BYTES)
        if dispatcher.is_stopped:
            raise ApiError("UNAVAILABLE", "The local Cloud Tasks is stopping.")
        operation, handler, name = find(request.method, unquote(request.path))
        calls[operation, queue_id(name)] += 1
        content_type = request.headers.get("content-type", "")
        call = Call(store, dispatcher, clock.time(), name, request.query, body, content_type)
        return json_bytes_answer(to_json(handler(call), request.query))

    return asgi_app(answer)
