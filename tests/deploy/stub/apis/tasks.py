"""cloudtasks.googleapis.com: queues."""

import copy
import re

from tests.deploy.stub import policies
from tests.deploy.stub.wire import Api, Call, Json, Refused
from tests.deploy.stub.world import PROJECT, World, merge, overlay

API = Api("cloudtasks")
QUEUES = "/v2/projects/{project}/locations/{location}/queues"
_DEFAULTS: Json = {
    "rateLimits": {"maxDispatchesPerSecond": 500, "maxBurstSize": 100, "maxConcurrentDispatches": 1000},
    "retryConfig": {"maxAttempts": 100, "minBackoff": "0.100s", "maxBackoff": "3600s", "maxDoublings": 16},
    "state": "RUNNING",
}


def queue_name(call: Call) -> str:
    return f"projects/{PROJECT}/locations/{call.named['location']}/queues/{call.named['queue']}"


@API.route("GET", QUEUES)
def queues(world: World, call: Call) -> Json:
    return {"queues": world.under(f"projects/{PROJECT}/locations/{call.named['location']}/queues/")}


@API.route("POST", QUEUES)
def create(world: World, call: Call) -> Json:
    name = call.body["name"]
    if not re.fullmatch(r"[A-Za-z0-9-]{1,100}", name.rpartition("/")[2]):
        raise Refused(400, "The queue ID can contain letters, numbers and hyphens, at most 100.")
    if name in world.tombstones:
        text = "The queue cannot be created because a queue with this name existed too recently."
        raise Refused(400, text, "FAILED_PRECONDITION")
    return world.create(name, _filled(world, call.body))


@API.route("GET", QUEUES + "/{queue}")
def describe(world: World, call: Call) -> Json:
    return world.get(queue_name(call))


@API.route("PATCH", QUEUES + "/{queue}")
def update(world: World, call: Call) -> Json:
    """The service makes a queue that is missing."""
    name = queue_name(call)
    found = copy.deepcopy(world.resources.get(name, {**_DEFAULTS, "name": name}))
    merge(found, call.body, call.query.get("updateMask", ",".join(key for key in call.body if key != "name")))
    world.resources[name] = _filled(world, found)
    return world.resources[name]


@API.route("DELETE", QUEUES + "/{queue}")
def delete(world: World, call: Call) -> Json:
    world.delete(queue_name(call))
    world.tombstones.add(queue_name(call))
    return {}


def _switched(verb: str, state: str) -> None:
    @API.route("POST", QUEUES + "/{queue}:" + verb)
    def switch(world: World, call: Call) -> Json:
        found = world.get(queue_name(call))
        found["state"] = state
        return found


_switched("pause", "PAUSED")
_switched("resume", "RUNNING")


@API.route("POST", QUEUES + "/{queue}:purge")
def purge(world: World, call: Call) -> Json:
    for task in world.under(f"{queue_name(call)}/tasks/"):
        world.delete(task["name"])
    return world.get(queue_name(call))


@API.route("GET", QUEUES + "/{queue}/tasks")
def tasks(world: World, call: Call) -> Json:
    world.get(queue_name(call))
    return {"tasks": world.under(f"{queue_name(call)}/tasks/")}


policies.serve(API, QUEUES + "/{queue}", queue_name, reading="POST")


def _filled(world: World, wanted: Json) -> Json:
    queue = copy.deepcopy(_DEFAULTS)
    overlay(queue, wanted)
    if email := queue.get("httpTarget", {}).get("oidcToken", {}).get("serviceAccountEmail"):
        world.require_account(email)
    rates = queue["rateLimits"]
    if not 0 < rates["maxDispatchesPerSecond"] <= 500 or not 1 <= rates["maxConcurrentDispatches"] <= 5000:
        raise Refused(400, "Queue rates are out of range: 500 a second and 5000 at once are the most.")
    if queue["retryConfig"]["maxAttempts"] in (0, None):
        raise Refused(400, "maxAttempts must be -1 or above 0.")
    return queue
