"""The console: pages on which people upload files, follow and find them, and run them again."""

import functions_framework
from flask import Request, Response

from shared import console as pages
from shared import web
from shared.cloud import connect

cloud = connect(pages.RETRY_SECONDS)
cloud.settings.require("signer", "reader", "status_url", "processor_urls", "tasks_account", "console_access")
web.install(cloud)
site = pages.Site(cloud)


@functions_framework.http
def console(request: Request) -> Response:
    """Answer with a page, a part of one, or a file that pages need."""
    return web.streamed(site.answer(request))
