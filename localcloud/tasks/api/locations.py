"""The locations of a project: one by default, and every one that has a queue."""

from localcloud.tasks.rules import names
from localcloud.tasks.service import Call, Reply, Service

DEFAULT_LOCATION = "us-central1"


def list_(service: Service, call: Call) -> Reply:
    """GET /v2/projects/P/locations"""
    homes = {names.parent(queue.message.name) for queue in service.store.queues()}
    used = {names.last(home) for home in homes if home.startswith(f"{call.name}/locations/")}
    return {"locations": [_location(f"{call.name}/locations/{id_}") for id_ in sorted({DEFAULT_LOCATION, *used})]}


def get(_service: Service, call: Call) -> Reply:
    """GET /v2/projects/P/locations/L"""
    return _location(names.check_location(call.name))


def _location(name: str) -> dict[str, object]:
    id_ = names.last(name)
    return {"name": name, "locationId": id_, "labels": {"cloud.googleapis.com/region": id_}}
