"""The status service: the state of a file, the verdict of each step, and links to the outputs."""

import functions_framework
from flask import Request, Response

from shared import cors, log, pages, status_queries, web
from shared.cloud import connect
from shared.errors import MethodNotAllowed, NotFound

cloud = connect()
cloud.settings.require("reader")
web.install(cloud)
pages.install(cloud, cors.STATUS)


@functions_framework.http
def status(request: Request) -> Response:
    """Answer `GET /objects/<name>` and `/jobs/<file id or job id>`; redirect from `/objects/<name>/<step>/<output>`."""
    _, kind, asked = [*request.path.split("/", 2), "", ""][:3]
    if kind not in ("objects", "jobs") or not asked:
        raise NotFound("path not found; ask for /objects/<name> or /jobs/<file id or job id>")
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed("the status service answers GET", "GET", "HEAD")
    answer = status_queries.answer(kind, asked, request.args, cloud)
    if isinstance(answer, str):
        log.info("signed a link to an output")
        return web.link(answer) if "link" in request.args else web.redirect(answer)
    if "job_id" in answer:
        log.follow(answer["job_id"], "status")
    log.info("answered with the state of a file", state=answer.get("state", ""))
    return web.conditional(request, answer)
