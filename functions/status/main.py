"""The status service: where a file is, how each step ended, and links to what came out."""

import functions_framework
from flask import Request, Response

from shared import cloud, web
from shared import status as reading
from shared.errors import MethodNotAllowed, NotFound

outside = cloud.connect()
outside.settings.require("signer")
web.install(outside)


@functions_framework.http
def status(request: Request) -> Response:
    """`GET /objects/<name>` and `GET /jobs/<file id or job id>`."""
    _, kind, asked = [*request.path.split("/", 2), "", ""][:3]
    read = {"objects": reading.of_object, "jobs": reading.of_id}.get(kind)
    if read is None or not asked:
        raise NotFound("ask for /objects/<name>, or /jobs/<file id or job id>")
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed("the status service answers GET", "GET", "HEAD")
    return web.reply(read(asked, outside))
