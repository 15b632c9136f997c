"""The dispatcher: turns the bucket's notifications, pushed by Pub/Sub, into tasks."""

import functions_framework
from cloudevents.http import CloudEvent
from flask import Request

from shared import cloud, pipeline, web

outside = cloud.connect()
outside.settings.require("dispatcher_url", "push_account", "processor_url", "tasks_account")


def _only_pubsub(request: Request) -> None:
    web.verify_caller(request, outside, account=outside.settings.push_account, audience=outside.settings.dispatcher_url)
    web.limit_body(request)


web.install(outside, _only_pubsub, unreadable=lambda body, why: pipeline.bury(body, why, outside))


@functions_framework.cloud_event
def dispatcher(event: CloudEvent) -> None:
    """Queue the tasks of the file that the event tells of; returning acknowledges it, raising has it delivered again."""
    pipeline.dispatch(event.data["message"], outside)
