"""The dispatcher: queues the tasks of an uploaded file when Pub/Sub pushes the bucket's notification."""

import functions_framework
from flask import Request, Response

from shared import events, pipeline, web
from shared.cloud import connect
from shared.errors import MethodNotAllowed
from shared.events import MalformedEvent

cloud = connect()
cloud.settings.require("dispatcher_url", "push_account", "processor_urls", "tasks_account")


def _only_pubsub(request: Request) -> None:
    web.verify_caller(request, cloud, account=cloud.settings.push_account, audience=cloud.settings.dispatcher_url)
    web.limit_body(request)


web.install(cloud, _only_pubsub)


@functions_framework.http
def dispatcher(request: Request) -> Response:
    """Queue the tasks of the message's file. 2xx acknowledges it; after any other answer it is delivered again."""
    if request.method != "POST":
        raise MethodNotAllowed("the dispatcher takes the POST of a push subscription; see the Allow header", "POST")
    body = request.get_data()
    try:
        message = events.pushed(body)
    except MalformedEvent as error:
        pipeline.dead_letter(body, error.message, cloud)
        return web.reply({"put_aside": error.message})
    pipeline.dispatch(message, cloud)
    return web.reply({})
