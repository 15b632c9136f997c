"""The service: its ASGI app, which tells the two APIs apart, and its life from start to stop."""

import logging
from pathlib import Path
from typing import Any

from localcloud.accounts import Accounts
from localcloud.clock import Clock
from localcloud.errors import ApiError
from localcloud.storage.data.parts import Parts
from localcloud.storage.data.store import Store
from localcloud.storage.errors import StorageError, from_api, unsupported
from localcloud.storage.http import (
    Answer,
    Disconnected,
    Receive,
    Request,
    Send,
    empty_answer,
    parse_request,
    refusal,
    send_answer,
)
from localcloud.storage.json import routes as json_api
from localcloud.storage.json.batch import answer_batch
from localcloud.storage.json.uploads import upload
from localcloud.storage.media.resumable import Sessions
from localcloud.storage.outbox import Outbox, Publish
from localcloud.storage.rules import cors
from localcloud.storage.rules.conditions import check_write_headers
from localcloud.storage.rules.names import decode
from localcloud.storage.rules.parameters import check_encryption, check_parameters
from localcloud.storage.upkeep import Upkeep
from localcloud.storage.xml import routes as xml_api

log = logging.getLogger(__name__)


class Storage:
    """Cloud Storage under one data folder; `app` serves its JSON and XML APIs."""

    def __init__(self, data: Path, clock: Clock, accounts: Accounts, publish: Publish) -> None:
        self.store = Store(data, clock, accounts.project)
        self.store.sweep()  # now, while nothing is being uploaded: it could not be told from what a dead process left
        self.sessions = Sessions(self.store)
        self.parts = Parts(self.store)
        self.xml = xml_api.XmlApi(self.store, self.sessions, self.parts, accounts)
        self.outbox = Outbox(self.store, clock, publish)
        self.upkeep = Upkeep(self.store, self.sessions, self.parts, clock)

    async def start(self) -> None:
        """Begin to deliver notifications, and with upkeep."""
        self.outbox.start()
        self.upkeep.start()

    async def stop(self) -> None:
        """Stop delivering; everything acknowledged is on disk."""
        await self.upkeep.stop()
        await self.outbox.stop()
        self.store.database.close()

    async def app(self, scope: Any, receive: Receive, send: Send) -> None:
        """The ASGI app."""
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope, receive)
        except Disconnected:
            return
        await send_answer(answer, send)

    async def _answer(self, scope: Any, receive: Receive) -> Answer:
        is_json = _json_segments(scope["raw_path"].decode("latin-1")) is not None
        try:
            return await self.answer(parse_request(scope, receive))
        except StorageError as error:
            return refusal(error, is_json)
        except Disconnected:
            raise
        except Exception:
            # The cause goes to the log; a stranger is told nothing about our insides.
            log.exception("could not answer %s %s", scope["method"], scope["path"])
            return refusal(StorageError(500, "internalError", "Internal error", "InternalError"), is_json)

    async def answer(self, request: Request) -> Answer:
        """Answer one request; raises `StorageError`."""
        found = _json_segments(request.path)
        if found is None:
            return await self.xml.answer(request)
        if request.method == "OPTIONS":
            return empty_answer(200, *cors.open_preflight_headers(request.headers))
        try:
            answer = await self._json(request, *found)
        except StorageError as error:
            answer = refusal(error, is_json=True)
        except ApiError as error:
            answer = refusal(from_api(error), is_json=True)
        answer.headers += cors.open_response_headers(request.headers)
        return answer

    async def _json(self, request: Request, kind: str, segments: list[str]) -> Answer:
        check_parameters(request.query)
        check_encryption(request.headers)
        check_write_headers(request.method, request.headers)
        if kind == "batch":
            return await answer_batch(request, self.answer)
        if kind == "upload":
            if len(segments) != 3 or segments[2] != "o":
                raise unsupported(f"uploads to {request.path[:100]}")
            return await upload(self.store, self.sessions, request, decode(segments[1]))
        if kind == "download":
            request.query.setdefault("alt", "media")
        return await json_api.answer(self.store, request, segments)


def _json_segments(path: str) -> tuple[str, list[str]] | None:
    """Which part of the JSON API a path belongs to, and its segments from `b` on; None when it is the XML API's.

    nodejs leaves `/storage/v1` out, gcloud uploads under `/resumable/upload`. No bucket is called `b`: names have three
    letters at least.
    """
    kind = ""
    rest = path.removeprefix("/resumable")
    for prefix in ("upload", "download", "batch"):
        if rest.startswith(f"/{prefix}/"):
            kind, rest = prefix, rest[len(prefix) + 1 :]
            break
    rest = rest.removeprefix("/storage/v1")
    segments = rest.split("/")[1:]
    if path in {"/batch", "/batch/"} or (kind == "batch" and rest in {"", "/"}):
        return "batch", []
    if segments and (segments[0] == "b" or _is_project(segments)):
        return kind, segments
    return None


def _is_project(segments: list[str]) -> bool:
    return len(segments) == 3 and segments[0] == "projects" and segments[2] in {"serviceAccount", "hmacKeys"}
