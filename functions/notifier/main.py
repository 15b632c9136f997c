"""The notifier: queues each pushed notice for the webhooks that want it, and posts it when a task comes."""

import functions_framework
from flask import Request, Response

from shared import web
from shared.cloud import connect
from shared.webhooks import attempts, checks, deliveries, pushes

cloud = connect()
cloud.settings.require("notifier_url", "push_account", "tasks_account")
checks.check(cloud.routes, cloud.settings)


def _only_google(request: Request) -> None:
    is_task = request.path == deliveries.PATH
    account = cloud.settings.tasks_account if is_task else cloud.settings.push_account
    web.verify_caller(request, cloud, account=account, audience=cloud.settings.notifier_url)


web.install(cloud, _only_google)


@functions_framework.http
@web.retry_only_transient
def notifier(request: Request) -> Response:
    """Answer a push with 200 when its tasks are queued, and a task with 2xx when no other attempt follows."""
    if request.path != deliveries.PATH:
        pushes.receive(web.json_body(request, pushes.MAX_PUSH_BYTES), cloud)
        return web.reply({})
    ended = attempts.attempt(deliveries.read(web.json_body(request)), cloud)
    answer = web.reply({"state": ended.state, "message": ended.message}, ended.status)
    answer.headers.extend(ended.headers)
    return answer
