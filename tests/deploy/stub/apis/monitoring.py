"""monitoring.googleapis.com: alert policies, notification channels, dashboards."""

import re

from tests.deploy.stub.apis.logging import metric_name
from tests.deploy.stub.wire import Api, Call, Json, Refused
from tests.deploy.stub.world import NUMBER, PROJECT, World, merge

API = Api("monitoring")
_OWN_METRIC = re.compile(r"logging\.googleapis\.com/user/([\w./-]+)")


def _collection(version: str, kind: str, home: str) -> None:
    """Everything that one kind of resource answers. `home` is how the API names the project in its answers."""
    folder = f"/{version}/projects/{{project}}/{kind}"

    def name(call: Call) -> str:
        return f"projects/{home}/{kind}/{call.named['id']}"

    @API.route("GET", folder)
    def listing(world: World, _call: Call) -> Json:
        return {kind: world.under(f"projects/{home}/{kind}/")}

    @API.route("POST", folder)
    def create(world: World, call: Call) -> Json:
        _metrics_exist(world, str(call.body))
        own = call.body.get("name", f"projects/{home}/{kind}/{world.number()}").rpartition("/")[2]
        full = f"projects/{home}/{kind}/{own}"
        return world.create(full, {**call.body, "name": full, "etag": f"etag{world.number()}"})

    @API.route("GET", folder + "/{id}")
    def describe(world: World, call: Call) -> Json:
        return world.get(name(call))

    @API.route("PATCH", folder + "/{id}")
    def update(world: World, call: Call) -> Json:
        return _update(world, call, name(call))

    @API.route("DELETE", folder + "/{id}")
    def delete(world: World, call: Call) -> Json:
        _not_referenced(world, name(call), call)
        world.delete(name(call))
        return {}


def _update(world: World, call: Call, name: str) -> Json:
    _metrics_exist(world, str(call.body))
    found = world.get(name)
    if "/dashboards/" in name and call.body.get("etag", found["etag"]) != found["etag"]:
        raise Refused(409, "The dashboard's etag is stale.", "ABORTED")
    if mask := call.query.get("updateMask"):
        merge(found, call.body, mask)
    else:
        found.clear()
        found.update(call.body)
    found |= {"name": name, "etag": f"etag{world.number()}"}
    return found


def _not_referenced(world: World, name: str, call: Call) -> None:
    for alert in world.under(f"projects/{PROJECT}/alertPolicies/"):
        if name in alert.get("notificationChannels", []) and call.query.get("force", "").lower() != "true":
            raise Refused(400, f'Could not delete "{name}" because it is still being referenced by: "{alert["name"]}"')


def _metrics_exist(world: World, text: str) -> None:
    for metric in _OWN_METRIC.findall(text):
        if metric_name(metric) not in world.resources:
            text = f'Cannot find metric that matches type = "logging.googleapis.com/user/{metric}". If it is new, retry.'
            raise Refused(404, text)


_collection("v3", "alertPolicies", PROJECT)
_collection("v3", "notificationChannels", PROJECT)
_collection("v1", "dashboards", NUMBER)
