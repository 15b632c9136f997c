"""The processor: runs one task. Cloud Tasks delivers the task until the answer is 2xx."""

import functions_framework
from flask import Request, Response

from shared import pipeline, web
from shared.cloud import connect
from shared.plan import Task

cloud = connect()
cloud.settings.require("processor_url", "tasks_account")


def _only_cloud_tasks(request: Request) -> None:
    web.verify_caller(request, cloud, account=cloud.settings.tasks_account, audience=cloud.settings.processor_url)


web.install(cloud, _only_cloud_tasks)


@functions_framework.http
@web.retry_only_transient
def processor(request: Request) -> Response:
    """Run the task in the body."""
    task = web.parsed(Task.from_json, web.json_body(request))
    pipeline.process(task, web.delivery_number(request), cloud)
    return web.reply({"task": task.name})
