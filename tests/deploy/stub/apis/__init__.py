"""One module for each of Google's APIs; this one finds which of them answers."""

import importlib
import pkgutil
from dataclasses import replace

from tests.deploy.stub.wire import Call, Json, Raw, Refused
from tests.deploy.stub.world import PROJECT, World

_APIS = {
    module.API.name: module.API
    for module in (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    if hasattr(module, "API")
}
#: They work before anything is enabled: they are what enabling goes through.
_ALWAYS = ("serviceusage", "cloudresourcemanager")


def answer(world: World, call: Call) -> Json | Raw:
    """Answer by the API of the call's host. An unknown host, method or path is 400: gcloud retries 5xx."""
    api = _APIS.get(call.api)
    if not api:
        raise Refused(400, f"unknown host {call.host}")
    found = api.find(call)
    if not found:
        raise Refused(400, f"unknown call {call.method} {call.host}{call.path}")
    handler, named = found
    _must_be_enabled(world, call.api)
    if named.get("project", PROJECT) not in (PROJECT, world.resources[f"projects/{PROJECT}"]["projectNumber"], "-", "_"):
        raise Refused(403, f"The caller does not have permission on project {named['project']}, or it may not exist.")
    answered: Json | Raw = handler(world, replace(call, named=named))
    return answered


def _must_be_enabled(world: World, api: str) -> None:
    service = f"{api}.googleapis.com"
    if service in world.apis or api in _ALWAYS:
        return
    text = f"{service} has not been used in project {PROJECT} before or it is disabled. Enable it, then retry."
    details = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "SERVICE_DISABLED",
        "domain": "googleapis.com",
        "metadata": {"service": service, "consumer": f"projects/{PROJECT}"},
    }
    raise Refused(403, text, details=[details])
