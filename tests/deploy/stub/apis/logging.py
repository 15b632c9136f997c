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
    """Entries for which one of the filter's terms of each field holds, the newest first if so asked."""
    terms = _terms(call.body.get("filter", ""))
    found = [entry for entry in world.under(ENTRIES) if all(_holds(entry, path, either) for path, either in terms.items())]
    found.sort(key=lambda entry: str(entry["timestamp"]), reverse=call.body.get("orderBy") == "timestamp desc")
    return {"entries": found[: call.body.get("pageSize")]}


def _terms(text: str) -> dict[str, list[tuple[str, str]]]:
    """The operators and values of each field. Refuses a filter of anything but terms."""
    if re.sub(r"\bAND\b|\bOR\b|[()\s]", "", TERM.sub("", text)):
        raise Refused(400, f"Unparseable filter: {text}")
    terms = defaultdict(list)
    for path, operator, value in TERM.findall(text):
        terms[path].append((operator, value))
    return terms


def _holds(entry: Json, path: str, either: list[tuple[str, str]]) -> bool:
    found = str(reduce(lambda part, key: part.get(key, {}), path.split("."), entry) or "")
    return any(found >= value if operator == ">=" else found == value for operator, value in either)


def _filled(wanted: Json) -> Json:
    kind = {"metricKind": "DELTA", "valueType": "INT64", "type": f"logging.googleapis.com/user/{wanted['name']}"}
    return {**wanted, "metricDescriptor": {**kind, **wanted.get("metricDescriptor", {})}}
