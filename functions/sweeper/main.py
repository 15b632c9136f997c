"""The sweeper: queues again what has no index entry, when Cloud Scheduler calls it, in parts of 25 minutes."""

import time

import functions_framework
from flask import Request, Response

from shared import sweep_part, web
from shared.cloud import connect
from shared.errors import MethodNotAllowed, NotFound
from shared.operations import sweep as sweeping

cloud = connect(sweeping.RETRY_SECONDS)
cloud.settings.require("sweeper_url", "clock_account", "tasks_account", "processor_urls")


def _only_clock_and_tasks(request: Request) -> None:
    is_part = request.path == sweep_part.PATH
    account = cloud.settings.tasks_account if is_part else cloud.settings.clock_account
    web.verify_caller(request, cloud, account=account, audience=cloud.settings.sweeper_url)


web.install(cloud, _only_clock_and_tasks)


@web.retry_only_transient
def _part(request: Request) -> Response:
    return web.reply(sweeping.sweep_and_go_on(sweep_part.read(web.json_body(request)), cloud).to_json())


@functions_framework.http
def sweeper(request: Request) -> Response:
    """Sweep for up to 25 minutes; 2xx when the rest, if there is one, waits in the queue."""
    if request.path not in ("/", sweep_part.PATH):
        raise NotFound("path not found; the sweeper answers at / and /parts")
    if request.method != "POST":
        raise MethodNotAllowed("the sweeper takes the POST of Cloud Scheduler; see the Allow header", "POST")
    if request.path == sweep_part.PATH:
        return _part(request)
    return web.reply(sweeping.sweep_and_go_on(sweep_part.Part(int(time.time())), cloud).to_json())
