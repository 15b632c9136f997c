"""logging.googleapis.com: log-based metrics."""

from tests.deploy.stub.wire import Api, Call, Json
from tests.deploy.stub.world import PROJECT, World

API = Api("logging")
METRICS = "/v2/projects/{project}/metrics"


def metric_name(name: str) -> str:
    return f"projects/{PROJECT}/metrics/{name}"


@API.route("GET", METRICS)
def metrics(world: World, _call: Call) -> Json:
    return {"metrics": world.under(metric_name(""))}


@API.route("POST", METRICS)
def create(world: World, call: Call) -> Json:
    return world.create(metric_name(call.body["name"]), _filled(call.body))


@API.route("GET", METRICS + "/{metric}")
def describe(world: World, call: Call) -> Json:
    return world.get(metric_name(call.named["metric"]))


@API.route("PUT", METRICS + "/{metric}")
def update(world: World, call: Call) -> Json:
    name = metric_name(call.named["metric"])
    world.resources[name] = _filled(call.body)
    return world.resources[name]


@API.route("DELETE", METRICS + "/{metric}")
def delete(world: World, call: Call) -> Json:
    world.delete(metric_name(call.named["metric"]))
    return {}


@API.route("POST", "/v2/entries:list")
def entries(_world: World, _call: Call) -> Json:
    return {}


def _filled(wanted: Json) -> Json:
    kind = {"metricKind": "DELTA", "valueType": "INT64", "type": f"logging.googleapis.com/user/{wanted['name']}"}
    return {**wanted, "metricDescriptor": {**kind, **wanted.get("metricDescriptor", {})}}
