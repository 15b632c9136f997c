"""Uploads by the page: the offered steps and options, and signed sessions for the browser."""

from dataclasses import dataclass, replace

from flask import Response

from shared import media, signed_upload, web
from shared.cloud.protocols import Cloud
from shared.console.visit import Visit
from shared.errors import BadRequest
from shared.model import File, canonical
from shared.routes import Routes, per_file
from shared.routes.definitions import REQUEST
from shared.signed_upload import UploadRequest

MAX_BODY_BYTES = 16 << 10


@dataclass(frozen=True, slots=True)
class Choice:
    """A metadata key that a file may carry: its value for a step on request, else the configured value of an option."""

    key: str
    step: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Offer:
    """The upload form: the bucket, the limit of a file, steps on request and options per file."""

    bucket: str
    max_bytes: int
    steps: tuple[Choice, ...]
    options: tuple[Choice, ...]


def offer(cloud: Cloud) -> Offer:
    """The choices of pipeline.toml for whoever uploads."""
    settings, routes = cloud.settings, cloud.routes
    return Offer(settings.uploads_bucket, settings.max_file_bytes, tuple(_steps(routes)), tuple(_options(routes)))


def _steps(routes: Routes) -> list[Choice]:
    types: dict[str, set[str]] = {}
    for route in (route for route in routes.routes if route.on_request):
        for step in route.steps:
            types.setdefault(step, set()).update(route.content_types)
    return [Choice(REQUEST, step, f"for {', '.join(sorted(types[step]))}", step) for step in routes.steps if step in types]


def _options(routes: Routes) -> list[Choice]:
    return [
        Choice(per_file.key(step.name, option), step.name, option, canonical(step.recipe.options[option]).decode())
        for step in routes.steps.values()
        for option in step.per_file
    ]


def sign(visit: Visit) -> Response:
    """A signed URL that starts the session of one file, in JSON. Where the browser has no type, its name decides."""
    fields = web.json_body(visit.request, MAX_BODY_BYTES)
    given = {"content_type": media.by_name(str(fields.get("name", ""))), **fields, "resumable": True}
    signed = signed_upload.sign(_fitted(signed_upload.parse(given), visit.cloud), visit.cloud)
    return web.reply({name: signed[name] for name in ("url", "headers", "object")})


def _fitted(wanted: UploadRequest, cloud: Cloud) -> UploadRequest:
    """The request with those steps and options that this file takes: a choice is for all files of a folder.

    Raises `BadRequest` for a value that a step refuses.
    """
    if cloud.routes.go_by_bytes(wanted.name, wanted.metadata, wanted.size):
        return wanted  # its plan is not known before its bytes
    described = File(cloud.settings.uploads_bucket, wanted.name, 0, wanted.size or 0, wanted.content_type, "", wanted.metadata)
    plan = cloud.routes.plan(described)
    if fault := next((step.fault for step in plan.steps if step.fault), ""):
        raise BadRequest(f"metadata: {fault}", field="metadata")
    return replace(wanted, metadata=per_file.effective(wanted.metadata, plan, cloud.routes.steps))
