"""The dispatcher: queues the tasks of an uploaded file when Pub/Sub pushes the bucket's notification."""

import functions_framework
from cloudevents.http import CloudEvent
from flask import Request

from shared import pipeline, web
from shared.cloud import connect

cloud = connect()
cloud.settings.require("dispatcher_url", "push_account", "processor_urls", "tasks_account")


def _only_pubsub(request: Request) -> None:
    web.verify_caller(request, cloud, account=cloud.settings.push_account, audience=cloud.settings.dispatcher_url)
    web.limit_body(request)


web.install(cloud, _only_pubsub, unreadable=lambda body, why: pipeline.dead_letter(body, why, cloud))


@functions_framework.cloud_event
def dispatcher(event: CloudEvent) -> None:
    """Queue the tasks of the event's file. Returning acknowledges the event; raising has it delivered again."""
    pipeline.dispatch(event.data["message"], cloud)
