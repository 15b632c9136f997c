"""The Upload Service: files posted to it go into the uploads bucket while they arrive, and their tasks into the queues."""

import functions_framework
from flask import Request, Response

from shared import cloud, intake, pipeline, web
from shared.errors import PipelineError
from shared.tickets import receipt

outside = cloud.connect()
outside.settings.require("issuer_url", "status_url", "processor_url", "tasks_account")
web.install(outside)

#: What a form may add to its files: boundaries, part headers, other fields.
FORM_BYTES = 64 << 10


@functions_framework.http
def upload(request: Request) -> Response:
    """`POST /` with a form, or `PUT|POST /<name>` with the bytes; 202 tells where to ask what became of them."""
    limit, issuer = outside.settings.max_post_bytes, outside.settings.issuer_url
    web.limit_body(request, limit + FORM_BYTES, f"; ask the issuer for a signed URL ({issuer}), it takes larger files")
    key = request.headers.get("idempotency-key", "")
    accepted = []
    try:
        for number, incoming in enumerate(intake.read(request)):
            accepted.append(receipt(pipeline.receive(incoming, outside, key, number), outside))
    except PipelineError as error:
        error.details["accepted"] = accepted
        raise
    return web.reply(accepted[0] if len(accepted) == 1 else {"files": accepted}, 202)
