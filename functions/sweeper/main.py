"""The sweeper: queues again what was lost, when Cloud Scheduler calls it, and works the pages of backfills."""

import time

import functions_framework
from flask import Request, Response

from shared import backfill_page, errors, sweep_part, web
from shared.cloud import connect
from shared.operations import backfill_pages, sweep

cloud = connect(sweep.RETRY_SECONDS)
cloud.settings.require("sweeper_url", "clock_account", "tasks_account", "processor_urls")


def _only_clock_and_tasks(request: Request) -> None:
    account = cloud.settings.tasks_account if request.path in backfill_page.TASKS else cloud.settings.clock_account
    web.verify_caller(request, cloud, account=account, audience=cloud.settings.sweeper_url)


web.install(cloud, _only_clock_and_tasks)


@web.retry_only_transient
def _task(request: Request) -> Response:
    if request.path == backfill_page.PATH:
        return web.reply(backfill_pages.work(backfill_page.read(web.json_body(request)), web.delivery_number(request), cloud))
    return web.reply(sweep.sweep_and_go_on(sweep_part.read(web.json_body(request)), cloud).to_json())


@functions_framework.http
def sweeper(request: Request) -> Response:
    """Sweep for up to 25 minutes, or work a page; 2xx when the rest, if there is one, waits in the queue."""
    if request.path not in ("/", *backfill_page.TASKS):
        raise errors.NotFound("path not found; the sweeper answers at /, /parts and /pages")
    if request.method != "POST":
        raise errors.MethodNotAllowed("the sweeper takes POST; see the Allow header", "POST")
    if request.path in backfill_page.TASKS:
        return _task(request)
    return web.reply(sweep.sweep_and_go_on(sweep_part.Part(int(time.time())), cloud).to_json())
