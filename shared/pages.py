"""Web pages that call a service from the origins of SLUICE_ORIGINS: preflights, and answers that they may read.

Source: https://fetch.spec.whatwg.org/#http-cors-protocol. The identity of a page's caller is its token, never a cookie: there is no
`Access-Control-Allow-Credentials`.
"""

import flask
from flask import Request, Response

from shared import cors
from shared.cloud.protocols import Cloud
from shared.cors import Rule
from shared.errors import Forbidden


def install(cloud: Cloud, rule: Rule) -> None:
    """Answer preflights and mark every answer, errors too, in the function that is being loaded."""
    app = flask.current_app
    app.before_request(lambda: preflight(flask.request, rule, cloud.settings.origins))
    app.after_request(lambda answer: _marked(answer, flask.request, cloud.settings.origins))


def preflight(request: Request, rule: Rule, origins: tuple[str, ...]) -> Response | None:
    """The answer to a preflight; None for any other request. Raises `Forbidden` for a page of another origin."""
    if request.method != "OPTIONS" or "access-control-request-method" not in request.headers:
        return None
    origin = request.headers.get("origin", "")
    if origin not in origins:
        remedy = "add its origin to SLUICE_ORIGINS (--origins)"
        raise Forbidden(f"pages of {origin[:200]!r} may not call this service; {remedy}", "foreign_origin")
    headers = {
        "access-control-allow-methods": ", ".join(rule.methods),
        "access-control-allow-headers": ", ".join(rule.allowed(request.headers.get("access-control-request-headers", ""))),
        "access-control-max-age": str(cors.MAX_AGE_SECONDS),
        "vary": "Access-Control-Request-Headers",
    }
    return Response(status=204, headers=headers)


def _marked(answer: Response, request: Request, origins: tuple[str, ...]) -> Response:
    """The answer, readable for a page of one of these origins. Caches keep the answers to pages apart."""
    if origins:
        answer.vary.add("Origin")
    origin = request.headers.get("origin")
    if origin in origins:
        answer.headers["access-control-allow-origin"] = origin
        answer.headers["access-control-expose-headers"] = ", ".join(cors.EXPOSED)
    return answer
