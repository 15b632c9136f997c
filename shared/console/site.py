"""The pages and actions of the console by their paths."""

from collections.abc import Mapping

from flask import Request, Response

from shared import log, web
from shared.cloud.protocols import Cloud
from shared.console import (
    extracted,
    failed,
    file,
    files,
    follow,
    pipeline_page,
    preview,
    protection,
    queues,
    rendering,
    reruns,
    static_files,
    uploads,
)
from shared.console.access import Access
from shared.console.recent import Recent
from shared.console.viewer import Viewer
from shared.console.visit import View, Visit
from shared.errors import MethodNotAllowed, NotFound, PipelineError

#: Age at which what all viewers see is read again.
LIVE_SECONDS = 5.0
#: A person waits: after this time a page reports an outage. It asks again by itself.
RETRY_SECONDS = 10.0
#: Most signed links that are kept.
MAX_LINKS = 10_000

#: The first part of a path → its page.
PAGES: Mapping[str, View] = {
    "": files.page,
    "rows": files.rows,
    "queues": queues.page,
    "queue-states": queues.states,
    "pipeline": pipeline_page.page,
    "files": file.page,
    "state": file.state,
    "preview": preview.preview,
    "outputs": preview.output,
    "failed": failed.page,
    "reasons": failed.reasons,
    "follow": follow.states,
    "members": extracted.page,
}
#: The same for what a viewer who may act sends.
ACTIONS: Mapping[str, View] = {
    "queues": queues.change,
    "rerun": reruns.one,
    "rerun-all": reruns.group,
    "uploads": uploads.sign,
}


class Site:
    """The console of one instance. Its lists are read once for all viewers."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._access = Access(cloud.settings)
        self._recent = Recent(LIVE_SECONDS)
        self._links = Recent(cloud.settings.url_seconds // preview.KEPT_PART, most=MAX_LINKS)

    def answer(self, request: Request) -> Response:
        """The page of this path; for an error, a page about it."""
        _, kind, rest = [*request.path.split("/", 2), ""][:3]
        if kind == "assets":  # Flask itself answers `static`
            return static_files.answer(request, rest)
        viewer = None
        try:
            viewer = self._access.viewer(request)
            view = _view(request, kind, viewer)
            answer = view(Visit(request, viewer, rest, self._cloud, self._recent, self._links))
        except PipelineError as error:
            log.warning("answered with an error", status=error.status, code=error.code, error=error.message)
            answer = web.with_remedy(rendering.error(request, viewer, error), error)
        return protection.protected(answer, self._cloud.settings)


def _view(request: Request, kind: str, viewer: Viewer) -> View:
    if request.method == "POST" and kind in ACTIONS:
        protection.check_action(request, viewer)
        log.info("a viewer acts", action=kind, viewer=viewer.name)
        return ACTIONS[kind]
    if kind not in PAGES:
        raise NotFound("page not found")
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed("this page answers GET", "GET", "HEAD")
    return PAGES[kind]
