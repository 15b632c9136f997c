"""REST v2: from a request to its handler, and errors as JSON."""

from urllib.parse import unquote

from localcloud.clock import Clock
from localcloud.errors import ApiError
from localcloud.http import Answer, Request, asgi_app, json_bytes_answer
from localcloud.protobuf import to_json
from localcloud.tasks.api.call import Call
from localcloud.tasks.data.store import Store
from localcloud.tasks.delivery.dispatcher import Dispatcher
from localcloud.tasks.routes import find

#: Limit of Google's front end; the limit of one task is 1 MiB.
MAX_BODY_BYTES = 10 << 20


class Rest:
    """The ASGI `app`; after `close` it answers 503."""

    def __init__(self, store: Store, dispatcher: Dispatcher, clock: Clock) -> None:
        self._store = store
        self._dispatcher = dispatcher
        self._clock = clock
        self._is_closed = False
        self.app = asgi_app(self._answer, _refuse)

    def close(self) -> None:
        """Refuse later requests on open connections: the store is about to close."""
        self._is_closed = True

    async def _answer(self, request: Request) -> Answer:
        body = await request.read(MAX_BODY_BYTES)
        if self._is_closed:
            raise ApiError("UNAVAILABLE", "The local Cloud Tasks is stopping.")
        handler, name = find(request.method, unquote(request.path))
        content_type = request.headers.get("content-type", "")
        now = self._clock.time()
        call = Call(self._store, self._dispatcher, now, name, request.query, body, content_type)
        return json_bytes_answer(to_json(handler(call), request.query))


def _refuse(_request: Request, error: ApiError) -> Answer:
    return json_bytes_answer(error.to_json(), error.http_code)
