"""The status service: the state of a file, the verdict of each step, and links to the outputs."""

import functions_framework
from flask import Request, Response

from shared import log, web
from shared import status as reading
from shared.cloud import connect
from shared.errors import MethodNotAllowed, NotFound

cloud = connect()
cloud.settings.require("signer")
web.install(cloud)


@functions_framework.http
def status(request: Request) -> Response:
    """Answer `GET /objects/<name>` and `GET /jobs/<file id or job id>`."""
    _, kind, asked = [*request.path.split("/", 2), "", ""][:3]
    read = {"objects": reading.of_object, "jobs": reading.of_id}.get(kind)
    if read is None or not asked:
        raise NotFound("path not found; ask for /objects/<name> or /jobs/<file id or job id>")
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed("the status service answers GET", "GET", "HEAD")
    answer = read(asked, cloud)
    log.follow(answer["job_id"], "status")
    log.info("answered with the state of a file", state=answer["state"])
    return web.reply(answer)
