"""The processor: runs one task. Cloud Tasks delivers the task until the answer is 2xx."""

import functions_framework
from flask import Request, Response

from shared import capacity, log, outside, pipeline, task_json, web
from shared.cloud import connect
from shared.processors import extras

cloud = connect()
cloud.settings.require("processor_urls", "tasks_account")
capacity.check(cloud.routes, cloud.settings.max_file_bytes)
outside.check(cloud.routes, cloud.settings)
URL = cloud.settings.processor_url(capacity.served(cloud.routes, cloud.settings.pool).name)
cloud.sandbox.announce()
log.info("the processor starts", extras=",".join(extras.installed()))


def _only_cloud_tasks(request: Request) -> None:
    web.verify_caller(request, cloud, account=cloud.settings.tasks_account, audience=URL)


web.install(cloud, _only_cloud_tasks)


@functions_framework.http
@web.retry_only_transient
def processor(request: Request) -> Response:
    """Run the task in the body."""
    task = task_json.read(web.json_body(request))
    pipeline.process(task, web.delivery_number(request), cloud)
    return web.reply({"task": task.name})
