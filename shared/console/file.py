"""The page of one file: its runs with their steps, pictures, facts, times and cost; its older uploads."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from flask import Response

from shared import ledger, status
from shared.cloud.protocols import Cloud
from shared.console import addresses, excerpts, rendering, reruns, run_view, waveform
from shared.console.run_view import RunView
from shared.console.visit import Visit
from shared.errors import NotFound
from shared.manifest import Manifest
from shared.model import Json
from shared.operations import bulk
from shared.operations.show import facts, show


@dataclass(frozen=True, slots=True)
class _Seen:
    """The newest generation of a file with all its runs, newest first; or a page of the generations before."""

    name: str
    runs: list[RunView]
    older: str


def page(visit: Visit) -> Response:
    """The whole page."""
    seen, asked = _seen(visit), visit.request.args
    told = reruns.TOLD.get(asked.get("told", ""))
    lines = _lines(seen, visit.cloud) if seen.runs else {}
    shown = {**_shown(seen, is_old="older" in asked), "told": told, "lines": lines, "request_id": bulk.new_request()}
    return rendering.page(visit.request, visit.viewer, "file.html", **shown)


def state(visit: Visit) -> Response:
    """The part of it that changes while the file is in work."""
    return rendering.part(visit.request, "file_state.html", **_shown(_seen(visit), is_old=False))


def _shown(seen: _Seen, *, is_old: bool) -> dict[str, Any]:
    is_live = not is_old and any(not run.is_ended for run in seen.runs[:1])
    parameters = {"name": seen.name} if is_live else {}
    following = addresses.of_file(seen.name, older=seen.older) if seen.older else ""
    shown = {"name": seen.name, "runs": seen.runs, "is_old": is_old, "parameters": parameters, "following": following}
    return {**shown, "view": run_view}


def _seen(visit: Visit) -> _Seen:
    """The file that the path or the query names, read once for all viewers."""
    name, older = visit.rest or visit.request.args.get("name", ""), visit.request.args.get("older", "")
    if not name:
        raise NotFound("page not found; the page of a file is /files/<name>")
    return visit.recent.get(("file", name, older), lambda: _read(name, older, visit.cloud))


def _read(name: str, older: str, cloud: Cloud) -> _Seen:
    found = show(name, cloud, older)
    runs = found.get("jobs") or found.get("runs") or []
    return _Seen(name, list(_with_manifests(runs, cloud, is_old=bool(older))), found["older"])


def _with_manifests(runs: Iterable[Json], cloud: Cloud, *, is_old: bool) -> Iterable[RunView]:
    for number, run in enumerate(runs):
        found = ledger.history(cloud.results, run["file_id"], run["generation"], str(run["run"]))
        view = RunView(run, [one for one in found if isinstance(one, Manifest)])
        yield view if number or is_old else _with_contents(view, cloud)


def _with_contents(view: RunView, cloud: Cloud) -> RunView:
    """The newest run with all its facts, and with the beginnings of its texts and its waveform."""
    steps = [step | {"facts": facts(step, cloud)} for step in view.run["steps"]]
    outputs = view.outputs
    texts, sound = [*excerpts.read(outputs, cloud)], waveform.read(outputs, cloud)
    return replace(view, run=view.run | {"steps": steps}, excerpts=texts, waveform=sound)


def _lines(seen: _Seen, cloud: Cloud) -> dict[str, str]:
    """Lines for a shell, which do the same as this page."""
    run, settings, name = seen.runs[0].run, cloud.settings, shlex.quote(seen.name)
    address = status.status_url(cloud, seen.name)
    token = '-H "Authorization: Bearer $(gcloud auth print-identity-token)" ' if address.startswith("https:") else ""
    outputs = f"gs://{settings.results_bucket}/files/{seen.name}/{run['generation']}"
    return {
        "Copy the original": f"gsutil cp {shlex.quote(f'gs://{settings.uploads_bucket}/{seen.name}')} .",
        **({"Copy its outputs": f"gsutil -m cp -r {shlex.quote(outputs)} ."} if seen.runs[0].outputs else {}),
        "Its state as JSON": f"curl {token}{shlex.quote(address)}",
        "The same in a terminal": f"./sluice show -- {name}",
    }
