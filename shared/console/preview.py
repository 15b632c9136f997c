"""Pictures and other outputs of jobs: redirects to signed links, each signed once for all viewers."""

import mimetypes
from collections.abc import Iterable

from flask import Response

from shared import ledger, processors, progress, status
from shared.cloud.protocols import Cloud
from shared.console import addresses
from shared.console.visit import Visit
from shared.errors import NotFound
from shared.index import Entry
from shared.manifest import Manifest
from shared.model import Output, Result
from shared.routes import Step

#: What browsers show as a picture.
PICTURES = ("image/avif", "image/gif", "image/jpeg", "image/png", "image/svg+xml", "image/webp")
#: Smallest preview that is still sharp in a list, on a screen with two pixels for one.
MIN_WIDTH_PX = 100
#: A link is kept for this part of its life here, and for another one by browsers.
KEPT_PART = 3
BLANK_SECONDS = 60
_BLANK = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><path d="M13 9h9l6 6v16H13z M22 9v6h6" fill="none" '
    'stroke="#8a94a3" stroke-width="1.6" stroke-linejoin="round"/></svg>'
)


def preview(visit: Visit) -> Response:
    """The smallest picture that the steps of a job made, `/preview/<job id>`; a blank page where they made none."""
    found = visit.links.get(
        ("preview", visit.rest), lambda: _link(smallest(_first_results(visit.rest, visit.cloud)), visit.cloud)
    )
    if found:
        return _redirect(found, visit.cloud)
    blank = Response(_BLANK, content_type="image/svg+xml")
    blank.headers["cache-control"] = f"private, max-age={BLANK_SECONDS}"
    return blank


def output(visit: Visit) -> Response:
    """An output of a job: `/outputs/<job id>/<step>/<output>`."""
    found = visit.links.get(("output", visit.rest), lambda: _link(_output(visit), visit.cloud))
    if not found:
        raise NotFound("browsers cannot open a name with a folder . or ..; copy it with the gsutil line of the file's page")
    return _redirect(found, visit.cloud)


def smallest(results: Iterable[Result]) -> Output | None:
    """The smallest picture that is large enough for a list; else the largest one."""
    found = [
        one for result in results for one in result.outputs if result.verdict == "succeeded" and is_picture(one.content_type)
    ]
    enough = [one for one in found if _width(one) >= MIN_WIDTH_PX]
    return min(enough, key=lambda one: (_width(one), one.size), default=None) or max(found, key=_width, default=None)


def is_picture(content_type: str) -> bool:
    """Whether browsers show this type as a picture."""
    return content_type.partition(";")[0].strip().lower() in PICTURES


def pictured(jobs: Iterable[Entry], cloud: Cloud) -> set[str]:
    """The ids of the jobs of which a step may have made a picture: a list asks for previews of these only."""
    makers = {name for name, step in cloud.routes.steps.items() if _makes_pictures(step)}
    done = (job for job in jobs if job.verdict in ("succeeded", "partial"))
    return {job.job_id for job in done if any(recipe.rpartition("-")[0] in makers for recipe in job.recipes)}


def _makes_pictures(step: Step) -> bool:
    declared = processors.find(step.recipe.processor).outputs(step.recipe.options)
    return declared is None or any(is_picture(mimetypes.guess_type(f"/{pattern}")[0] or "") for pattern in declared)


def _width(output: Output) -> float:
    width = output.facts.get("width_px", 0)
    return width if isinstance(width, int | float) else 0


def _first_results(job_id: str, cloud: Cloud) -> list[Result]:
    """The results in the manifest that most jobs have alone: one read. Else those of all manifests of the job."""
    file_id, generation, number = status.parsed(job_id)
    found = ledger.find(cloud.results, f"jobs/{file_id}/{generation}/{number or 0}/job.json") if generation else None
    results = list(found.results.values()) if isinstance(found, Manifest) else []
    return results if smallest(results) else _results(job_id, cloud)


def _results(job_id: str, cloud: Cloud) -> list[Result]:
    file_id, generation, number = status.parsed(job_id)
    found = progress.find(file_id, generation, cloud, number or 0) if generation else None
    return [result for one in found.manifests.values() for result in one.results.values()] if found else []


def _output(visit: Visit) -> Output:
    job_id, step, name = [*visit.rest.split("/", 2), "", ""][:3]
    kept = visit.recent.get(("results", job_id), lambda: _results(job_id, visit.cloud))
    # Pages of a job in work show outputs that are newer than the results kept here.
    found = _named(step, name, kept) or _named(step, name, _results(job_id, visit.cloud))
    if not found:
        raise NotFound("output not found; open the page of its file again")
    return found


def _named(step: str, name: str, results: Iterable[Result]) -> Output | None:
    return next((one for result in results if result.step == step for one in result.outputs if one.name == name), None)


def _link(output: Output | None, cloud: Cloud) -> str:
    """A signed link, empty for no output and for one whose link browsers would change, so that its signature fails."""
    if not output or addresses.is_folded(output.object):
        return ""
    return cloud.results.permit_download(output.object, cloud.settings.url_seconds)


def _redirect(link: str, cloud: Cloud) -> Response:
    """302 to a signed link. Kept here and by browsers, it is followed before it ends."""
    seconds = cloud.settings.url_seconds // KEPT_PART
    return Response(status=302, headers={"location": link, "cache-control": f"private, max-age={seconds}"})
