"""What HTTP functions share: answers in JSON, errors that tell strangers nothing, callers verified, large bodies left unread."""

import contextlib
import functools
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, TypeVar

import flask
from flask import Request, Response
from werkzeug.exceptions import BadRequest as BadRequestPage
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from shared import identity, log
from shared.cloud.protocols import Cloud
from shared.errors import BadRequest, Forbidden, MethodNotAllowed, Permanent, PipelineError, TooLarge, Transient, Unauthorized

Handler = Callable[[Request], Response]
Parsed = TypeVar("Parsed")

#: Cloud Tasks and Pub/Sub bodies: a task is at most 100 kB, a notification a few.
MAX_BODY_BYTES = 1 << 20
#: How long what is left of a refused body is read, and how much of it at a time.
LINGER_SECONDS = 10
LINGER_BYTES = 1 << 16


def reply(body: Any, status: int = 200) -> Response:
    """A JSON answer. It is streamed: else functions-framework would first read what is left of the request into memory."""
    # A lone surrogate, which JSON may carry and UTF-8 may not, is told as its sender wrote it.
    data = json.dumps(body, indent=1, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"
    headers = {
        "content-type": "application/json",
        "content-length": str(len(data)),
        "x-content-type-options": "nosniff",
    }
    return Response(_streamed(data), status=status, headers=headers)


def _streamed(data: bytes) -> Iterator[bytes]:
    yield data


def _lingering(answer: Iterable[bytes], body: IO[bytes]) -> Iterator[bytes]:
    """The answer, then patience with a client that goes on sending: many read nothing before they have sent everything, and a
    connection closed on them (RFC 9112, 9.6) would take the answer with it."""
    yield from answer
    deadline = time.monotonic() + LINGER_SECONDS
    with contextlib.suppress(OSError):
        while time.monotonic() < deadline and body.read(LINGER_BYTES):
            pass


def foreseen(error: PipelineError) -> Response:
    """The answer to an error of our own: its code and its message."""
    log.warning(f"answered {error.status}: {error.message}", code=error.code)
    answer = reply({"error": error.code, "message": error.message, **error.details}, error.status)
    if isinstance(error, Transient):
        answer.headers["retry-after"] = "5"
    if isinstance(error, MethodNotAllowed):
        answer.headers["allow"] = ", ".join(error.allowed)
    if isinstance(error, TooLarge):
        answer.response = _lingering(answer.iter_encoded(), flask.request.input_stream)
    return answer


def install(
    cloud: Cloud, guard: Callable[[Request], None] | None = None, unreadable: Callable[[bytes, str], None] | None = None
) -> None:
    """Give the function being loaded JSON error pages and plain paths.

    `guard` sees every request before it is parsed; `unreadable` takes the body of an event that cannot be, which is then
    acknowledged. functions-framework's own 500 page prints the exception, its 400 page the request's headers, tokens included.
    """
    app = flask.current_app
    app.url_map.merge_slashes = False
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(PipelineError, foreseen)
    app.register_error_handler(Exception, unforeseen)
    app.before_request(lambda: _begin_log(cloud.settings.project))
    if guard:
        app.before_request(lambda: guard(flask.request))
    if not unreadable:
        # functions-framework keeps these two names from HTTP functions, as if only browsers asked for them.
        for name in ("robots.txt", "favicon.ico"):
            app.url_map.add(Rule(f"/{name}", defaults={"path": name}, endpoint="run"))
    else:
        app.register_error_handler(BadRequestPage, lambda _page: _put_aside(unreadable))


def _put_aside(unreadable: Callable[[bytes, str], None]) -> Response:
    why = "not a Pub/Sub push message that carries data"
    try:
        unreadable(flask.request.get_data(), why)
    except PipelineError as error:
        return foreseen(error)
    return reply({"put_aside": why})


def retry_only_transient(handler: Handler) -> Handler:
    """For a queue: accept a delivery that is beyond hope, so that it is not repeated for ever."""

    @functools.wraps(handler)
    def answered(request: Request) -> Response:
        try:
            return handler(request)
        except Permanent as error:
            log.error(f"gave up: {error.message}", code=error.code)
            return reply({"gave_up": error.code, "message": error.message})

    return answered


def http_error(error: HTTPException) -> Response:
    """What Flask itself refuses, such as an unknown method, without repeating what was sent."""
    status = error.code or 500
    words = {
        404: "there is nothing at this path",
        405: "this path does not take this method",
        413: "the body is too large",
    }
    code = (error.name or "error").lower().replace(" ", "_")
    answer = reply({"error": code, "message": words.get(status, "the request cannot be understood")}, status)
    if status == 405 and getattr(error, "valid_methods", None):
        answer.headers["allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]
    return answer


def unforeseen(error: Exception) -> Response:
    """A fault of ours: the log gets everything, the caller nothing."""
    log.error("an error nobody foresaw", error)
    return reply({"error": "internal", "message": "something went wrong here; it is in the log"}, 500)


def verify_caller(request: Request, cloud: Cloud, *, account: str, audience: str) -> None:
    """Let only this account through. Raises `Unauthorized`, `Forbidden`, `Unavailable`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("send the caller's identity token: Authorization: Bearer <token>")
    identity.verify(token, cloud.certificates, issuer=cloud.settings.token_issuer, audience=audience, email=account)


def limit_body(request: Request, max_bytes: int = MAX_BODY_BYTES, instead: str = "") -> None:
    """Refuse a larger body before it is read, and read no more of one that does not tell its length. Raises `TooLarge`."""
    request.max_content_length = max_bytes
    if (request.content_length or 0) > max_bytes:
        raise TooLarge(f"the body has {request.content_length} bytes; at most {max_bytes} are read{instead}")


def json_body(request: Request, max_bytes: int = MAX_BODY_BYTES) -> dict[str, Any]:
    """The request's JSON object. Raises `BadRequest`, `TooLarge`."""
    limit_body(request, max_bytes)
    data = request.get_data()
    if request.content_length is None and len(data) >= max_bytes:  # Werkzeug (3.1) cuts it off there without a word
        raise TooLarge(f"the body has {max_bytes} bytes or more; announce its length, and send less")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise BadRequest("the body is not JSON", "bad_json") from None
    if not isinstance(value, dict):
        raise BadRequest("the body is not a JSON object", "bad_json")
    return value


def parsed(parse: Callable[[dict[str, Any]], Parsed], body: dict[str, Any]) -> Parsed:
    """The body as one of our nouns. Raises `BadRequest` when it is none."""
    try:
        return parse(body)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadRequest(f"the body is not what it should be: {type(error).__name__}", "bad_json") from None


def delivery_number(request: Request) -> int:
    """Which delivery of its task this is, from 1. Execution-Count would not do: it leaves out answers of 5xx."""
    count = request.headers.get("x-cloudtasks-taskretrycount", "")
    if not count.isdecimal():
        raise Forbidden("this is not a delivery of Cloud Tasks: X-CloudTasks-TaskRetryCount is missing")
    return int(count) + 1


def _begin_log(project: str) -> None:
    """Let every log line of this request stand with the platform's own (Cloud Logging: trace) and forget the one before."""
    log.about()
    google, w3c = flask.request.headers.get("x-cloud-trace-context", ""), flask.request.headers.get("traceparent", "")
    trace_id = google.partition("/")[0] or "".join(w3c.split("-")[1:2])
    log.trace.set(f"projects/{project}/traces/{trace_id}" if re.fullmatch("[0-9a-f]{32}", trace_id) else "")
