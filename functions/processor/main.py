"""The processor: runs one task. Cloud Tasks calls it until it answers 2xx."""

import functions_framework
from flask import Request, Response

from shared import cloud, pipeline, web
from shared.model import Task

outside = cloud.connect()
outside.settings.require("processor_url", "tasks_account")


def _only_cloud_tasks(request: Request) -> None:
    web.verify_caller(request, outside, account=outside.settings.tasks_account, audience=outside.settings.processor_url)


web.install(outside, _only_cloud_tasks)


@functions_framework.http
@web.retry_only_transient
def processor(request: Request) -> Response:
    """Bring the task in the body to its verdict, and answer with it."""
    task = web.parsed(Task.from_json, web.json_body(request))
    manifest = pipeline.process(task, web.delivery_number(request), outside)
    return web.reply({"task_id": manifest.task_id, "verdict": manifest.verdict})
