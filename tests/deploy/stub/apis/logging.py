"""logging.googleapis.com: log-based metrics, and the entries that a test wrote."""

import re
from collections import defaultdict
from functools import reduce

from tests.deploy.stub.wire import Api, Call, Json, Refused
from tests.deploy.stub.world import PROJECT, World

API = Api("logging")
METRICS = "/v2/projects/{project}/metrics"
ENTRIES = f"projects/{PROJECT}/entries/"
#: A term of a filter: a field, equal to or not below a value.
TERM = re.compile(r'([\w.]+)(>?=)"([^"]*)"')


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
def entries(world: World, call: Call) -> Json:
    """Entries that match the filter, the newest first if so asked."""
    found = [entry for entry in world.under(ENTRIES) if _matches(entry, call.body.get("filter", ""))]
    found.sort(key=lambda entry: str(entry["timestamp"]), reverse=call.body.get("orderBy") == "timestamp desc")
    return {"entries": found[: call.body.get("pageSize")]}


def _matches(entry: Json, text: str) -> bool:
    """Whether one of the terms of each field holds. Refuses a filter of anything but such terms."""
    if re.sub(r"\bAND\b|\bOR\b|[()\s]", "", TERM.sub("", text)):
        raise Refused(400, f"Unparseable filter: {text}")
    held: dict[str, list[bool]] = defaultdict(list)
    for path, operator, value in TERM.findall(text):
        found = str(reduce(lambda part, key: part.get(key, {}), path.split("."), entry) or "")
        held[path].append(found >= value if operator == ">=" else found == value)
    return all(map(any, held.values()))


def _filled(wanted: Json) -> Json:
    kind = {"metricKind": "DELTA", "valueType": "INT64", "type": f"logging.googleapis.com/user/{wanted['name']}"}
    return {**wanted, "metricDescriptor": {**kind, **wanted.get("metricDescriptor", {})}}
