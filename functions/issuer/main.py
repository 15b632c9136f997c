"""The issuer: signs a URL for one upload, which the client then sends straight to Cloud Storage."""

import functions_framework
from flask import Request, Response

from shared import callers, cors, pages, signed_upload, web
from shared.cloud import connect
from shared.errors import MethodNotAllowed, NotFound

MAX_BODY_BYTES = 16 << 10

cloud = connect()
cloud.settings.require("signer", "issuer_url", "status_url", "key_secret")
web.install(cloud)
pages.install(cloud, cors.ISSUER)


@functions_framework.http
def issuer(request: Request) -> Response:
    """Answer `POST /` with JSON, or `GET /?name=&content_type=`, with a signed URL and a command line that uses it."""
    if request.path != "/":
        raise NotFound("path not found; the issuer answers at /")
    if request.method not in ("GET", "POST"):
        raise MethodNotAllowed("POST JSON with name and content_type, or GET /?name=&content_type=", "GET", "POST")
    is_post = request.method == "POST"
    fields = web.json_body(request, MAX_BODY_BYTES) if is_post else signed_upload.from_query(request.args.to_dict())
    wanted = signed_upload.parse(fields, callers.seed(request, cloud, cloud.settings.issuer_url))
    return web.reply(signed_upload.sign(wanted, cloud))
