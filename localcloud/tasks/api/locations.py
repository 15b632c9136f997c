"""Methods of projects.locations. A location exists when it is the default or has a queue."""

from localcloud.address import LOCATION
from localcloud.tasks.api.call import Call, Reply
from localcloud.tasks.rules import names


def list_(call: Call) -> Reply:
    """GET /v2/projects/P/locations"""
    names.check_project(call.name)
    homes = {names.parent(queue.message.name) for queue in call.store.queues()}
    used = {names.last(home) for home in homes if home.startswith(f"{call.name}/locations/")}
    return {"locations": [_location(f"{call.name}/locations/{id_}") for id_ in sorted({LOCATION, *used})]}


def get(call: Call) -> Reply:
    """GET /v2/projects/P/locations/L"""
    return _location(names.check_location(call.name))


def _location(name: str) -> dict[str, object]:
    id_ = names.last(name)
    return {"name": name, "locationId": id_, "labels": {"cloud.googleapis.com/region": id_}}
