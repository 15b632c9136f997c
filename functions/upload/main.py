"""The Upload Service: streams posted files into the uploads bucket and queues their tasks."""

import functions_framework
from flask import Request, Response

from shared import callers, cors, intake, pages, pipeline, web
from shared.cloud import connect
from shared.errors import PipelineError
from shared.status import receipt

cloud = connect()
cloud.settings.require("upload_url", "issuer_url", "status_url", "processor_urls", "tasks_account", "key_secret")
web.install(cloud)
pages.install(cloud, cors.UPLOAD)

#: Allowance for what a form adds to its files: boundaries, part headers, other fields.
FORM_BYTES = 64 << 10


@functions_framework.http
def upload(request: Request) -> Response:
    """Answer `POST /` with a form, or `PUT|POST /<name>` with the bytes, with 202 and a receipt for each file."""
    limit, issuer = cloud.settings.max_post_bytes, cloud.settings.issuer_url
    accepted = []
    try:
        web.limit_body(request, limit + FORM_BYTES, f"; for a larger file, ask the issuer for a signed URL ({issuer})")
        seed = callers.seed(request, cloud, cloud.settings.upload_url)
        for number, incoming in enumerate(intake.read(request)):
            accepted.append(receipt(pipeline.receive(incoming, cloud, seed, number), cloud))
    except PipelineError as error:
        error.details["accepted"] = accepted
        raise
    return web.reply(accepted[0] if len(accepted) == 1 else {"files": accepted}, 202)
