"""The HTTP side of all functions: JSON answers, error pages without internals, verified callers, body limits."""

import functools
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import flask
from flask import Request, Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from shared import identity, library_output, log, pace
from shared.cloud.protocols import Cloud
from shared.errors import (
    BadRequest,
    Forbidden,
    MethodNotAllowed,
    Permanent,
    PipelineError,
    TooLarge,
    Transient,
    Unauthorized,
    UnsupportedCoding,
)
from shared.setting_values import MAX_DIGITS

Handler = Callable[[Request], Response]

#: Limit for the bodies of Cloud Tasks (at most 100 kB) and Pub/Sub notifications (a few kB).
MAX_BODY_BYTES = 1 << 20


def reply(body: Any, status: int = 200) -> Response:
    """A JSON answer, streamed: functions-framework would first read the rest of the request into memory."""
    return _json(_written(body), status)


def conditional(request: Request, body: Any) -> Response:
    """A JSON answer with a strong ETag over its bytes; 304 to a client that has the same ones (RFC 9110 §13.1.2)."""
    data = _written(body)
    tag = hashlib.sha256(data).hexdigest()[:32]
    answer = streamed(Response(status=304)) if request.if_none_match.contains_weak(tag) else _json(data, 200)
    answer.headers["etag"] = f'"{tag}"'
    answer.headers["cache-control"] = "no-cache"  # caches ask each time
    return answer


def redirect(url: str) -> Response:
    """302 to a signed URL, which no cache may keep."""
    return streamed(Response(status=302, headers={"location": url, "cache-control": "no-store"}))


def link(url: str) -> Response:
    """A signed URL in JSON, which no cache may keep."""
    answer = reply({"url": url})
    answer.headers["cache-control"] = "no-store"
    return answer


def _written(body: Any) -> bytes:
    # JSON may carry a lone surrogate, UTF-8 may not: the answer escapes it, as the client wrote it.
    return json.dumps(body, indent=1, ensure_ascii=False).encode(errors="backslashreplace") + b"\n"


def _json(data: bytes, status: int) -> Response:
    headers = {
        "content-type": "application/json",
        "content-length": str(len(data)),
        "x-content-type-options": "nosniff",
    }
    return Response(_pieces(data), status=status, headers=headers)


def streamed(answer: Response) -> Response:
    """The same answer, before which functions-framework does not read the rest of the request into memory."""
    data = answer.get_data()
    if answer.status_code != 304:  # RFC 9110 §15.4.5: it would be the length of the whole answer
        answer.headers["content-length"] = str(len(data))
    answer.response = _pieces(data)
    return answer


def _pieces(data: bytes) -> Iterator[bytes]:
    yield data


def foreseen(error: PipelineError) -> Response:
    """The answer to a foreseen error: its code, message and details."""
    log.warning("answered with an error", status=error.status, code=error.code, error=error.message)
    return with_remedy(reply({"error": error.code, "message": error.message, **error.details}, error.status), error)


def with_remedy(answer: Response, error: PipelineError) -> Response:
    """The answer with the headers that name the time of a retry, the allowed methods and the content codings."""
    if isinstance(error, Transient):
        answer.headers["retry-after"] = "5"
    if isinstance(error, MethodNotAllowed):
        answer.headers["allow"] = ", ".join(error.allowed)
    if isinstance(error, UnsupportedCoding):
        answer.headers["accept-encoding"] = error.accepted
    return answer


def install(cloud: Cloud, guard: Callable[[Request], None] | None = None) -> None:
    """Install JSON error pages, JSON log lines and plain paths in the function that is being loaded.

    `guard` runs before each request is parsed. functions-framework's own error pages would print the exception and the headers
    with the token.
    """
    library_output.install()
    error_output = library_output.ErrorOutput()
    app = flask.current_app
    settings = cloud.settings
    app.wsgi_app = pace.Paced(app.wsgi_app, pace.Pace(settings.body_seconds, settings.body_bytes_per_second))  # type: ignore[method-assign]
    app.url_map.merge_slashes = False
    app.register_error_handler(HTTPException, http_error)
    for kind in (Permanent, Transient):
        app.register_error_handler(kind, foreseen)
    app.register_error_handler(Exception, unforeseen)
    app.before_request(error_output.capture)
    app.before_request(lambda: _begin_log(settings.project))
    if guard:
        app.before_request(lambda: guard(flask.request))
    # functions-framework answers these two names itself; here they may be file names.
    for name in ("robots.txt", "favicon.ico"):
        app.url_map.add(Rule(f"/{name}", defaults={"path": name}, endpoint="run"))


def retry_only_transient(handler: Handler) -> Handler:
    """For a queue: answer 2xx to a delivery that no retry can help, so that it is not delivered for ever."""

    @functools.wraps(handler)
    def answered(request: Request) -> Response:
        try:
            return handler(request)
        except Permanent as error:
            log.error("gave up a delivery that no retry can help", code=error.code, error=error.message)
            return reply({"gave_up": error.code, "message": error.message})

    return answered


def http_error(error: HTTPException) -> Response:
    """The answer to a request that Flask refuses, such as an unknown method; it repeats nothing from the request."""
    status = error.code or 500
    messages = {
        404: "path not found",
        405: "method not allowed on this path; see the Allow header",
        413: "the body is too large; send a smaller one",
    }
    code = (error.name or "error").lower().replace(" ", "_")
    answer = reply({"error": code, "message": messages.get(status, "the request is malformed; correct it")}, status)
    if status == 405 and getattr(error, "valid_methods", None):
        answer.headers["allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]
    return answer


def unforeseen(error: Exception) -> Response:
    """The answer to a bug of ours: the log gets the stack trace, the caller only this sentence."""
    log.error("unforeseen error", error)
    return reply({"error": "internal", "message": "internal error; its details are in the service's log"}, 500)


def verify_caller(request: Request, cloud: Cloud, *, account: str, audience: str) -> None:
    """Refuse every caller but this account. Raises `Unauthorized`, `Forbidden` and `Unavailable`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized("identity token missing; send Authorization: Bearer <token>")
    identity.verify(token, cloud.certificates, issuer=cloud.settings.token_issuer, audience=audience, email=account)


def limit_body(request: Request, max_bytes: int = MAX_BODY_BYTES, instead: str = "") -> None:
    """Refuse a larger Content-Length unread, and limit the reading of a body without one. Raises `TooLarge`."""
    request.max_content_length = max_bytes
    if (request.content_length or 0) > max_bytes:
        raise TooLarge(f"the body has {request.content_length} bytes; the limit is {max_bytes}{instead}")


def json_body(request: Request, max_bytes: int = MAX_BODY_BYTES) -> dict[str, Any]:
    """The JSON object in the body. Raises `BadRequest`, `TooLarge` and `UnsupportedCoding`."""
    limit_body(request, max_bytes)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedCoding("the body has a Content-Encoding; send the JSON object as it is", accepted="identity")
    data = request.get_data()
    if request.content_length is None and len(data) >= max_bytes:  # Werkzeug 3.1 silently truncates it there
        raise TooLarge(f"the body reaches the limit of {max_bytes} bytes; send a smaller one, with a Content-Length")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise BadRequest("the body is not JSON; send a JSON object", "bad_json") from None
    if not isinstance(value, dict):
        raise BadRequest("the body is JSON, but not an object; send an object", "bad_json")
    return value


def delivery_number(request: Request) -> int:
    """The number of this delivery of its task, from 1. X-CloudTasks-TaskExecutionCount would omit 5xx answers."""
    count = request.headers.get("x-cloudtasks-taskretrycount", "")
    if not count.isdecimal() or len(count) > MAX_DIGITS:
        raise Forbidden("X-CloudTasks-TaskRetryCount is no number: only Cloud Tasks may call this service")
    return int(count) + 1


def _begin_log(project: str) -> None:
    """Clear the bound log fields, and group this request's lines with the platform's own (Cloud Logging: trace)."""
    google, w3c = flask.request.headers.get("x-cloud-trace-context", ""), flask.request.headers.get("traceparent", "")
    trace_id = google.partition("/")[0] or "".join(w3c.split("-")[1:2])
    log.begin(project, trace_id if re.fullmatch("[0-9a-f]{32}", trace_id) else "")
