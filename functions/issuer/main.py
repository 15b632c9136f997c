"""The issuer: tells who wants to upload a file how to do so without us, by a URL signed for that one object."""

import functions_framework
from flask import Request, Response

from shared import cloud, tickets, web
from shared.errors import MethodNotAllowed, NotFound

MAX_BODY_BYTES = 16 << 10

outside = cloud.connect()
outside.settings.require("signer", "status_url")
web.install(outside)


@functions_framework.http
def issuer(request: Request) -> Response:
    """`POST` with JSON, or `GET ?name=&content_type=`: a signed URL and a command line that uses it."""
    if request.path != "/":
        raise NotFound("the issuer has one path: /")
    if request.method not in ("GET", "POST"):
        raise MethodNotAllowed("POST JSON with name and content_type, or GET /?name=&content_type=", "GET", "POST")
    asked = web.json_body(request, MAX_BODY_BYTES) if request.method == "POST" else tickets.from_query(request.args.to_dict())
    wish = tickets.wish(asked, request.headers.get("idempotency-key", ""))
    return web.reply(tickets.issue(wish, outside))
