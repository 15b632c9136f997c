"""run.googleapis.com: services, through the Knative API of a region's host and the v2 API; ready at once."""

import copy
import re
from collections.abc import Iterator

from tests.deploy.stub import policies
from tests.deploy.stub.apis import artifacts, iap, secrets
from tests.deploy.stub.wire import Api, Call, Json, Refused
from tests.deploy.stub.world import NUMBER, PROJECT, World

API = Api("run")
KNATIVE = "/apis/serving.knative.dev/v1/namespaces/{project}/services"
SERVICES = "/v1/projects/{project}/locations/{location}/services"
V2 = "/v2/projects/{project}/locations/{location}/services"
NAME = r"[a-z]([-a-z0-9]{0,47}[a-z0-9])?"
MAX_TIMEOUT_SECONDS = 3600
MAX_CONCURRENCY = 1000
GEN2_MEBIBYTES = 512
#: What a new project has in a region; each service may take as much with all its instances.
QUOTA = {"CpuAllocPerProjectRegion": 20_000, "MemAllocPerProjectRegion": 40 << 30}


def service_name(call: Call) -> str:
    location = call.named.get("location") or call.region
    return f"projects/{PROJECT}/locations/{location}/services/{call.named['service']}"


@API.route("GET", KNATIVE)
@API.route("GET", SERVICES)
def listing(world: World, call: Call) -> Json:
    location = call.named.get("location") or call.region
    places = [f"projects/{PROJECT}/locations/{location}/services/"]
    if location in ("-", ""):
        places = sorted(
            {name.rpartition("/")[0] + "/" for name in world.resources if "/locations/" in name and "/services/" in name}
        )
    items = [service for place in places for service in world.under(place)]
    return {"apiVersion": "serving.knative.dev/v1", "kind": "ServiceList", "items": items, "metadata": {}}


@API.route("GET", KNATIVE + "/{service}")
@API.route("GET", SERVICES + "/{service}")
def describe(world: World, call: Call) -> Json:
    return world.get(service_name(call))


@API.route("POST", KNATIVE)
@API.route("POST", SERVICES)
def create(world: World, call: Call) -> Json:
    location = call.named.get("location") or call.region
    name = f"projects/{PROJECT}/locations/{location}/services/{call.body['metadata']['name']}"
    if not re.fullmatch(NAME, call.body["metadata"]["name"]):
        raise Refused(
            400, "metadata.name: only lowercase, digits and hyphens; must begin with a letter, less than 50 characters."
        )
    if name in world.resources:
        raise Refused(409, f"Resource '{call.body['metadata']['name']}' already exists.")
    return _saved(world, call, name, _ready(world, call.body, name, 1))


@API.route("PUT", KNATIVE + "/{service}")
@API.route("PUT", SERVICES + "/{service}")
def replace(world: World, call: Call) -> Json:
    """A new generation, and a new revision when the template differs."""
    known = world.get(service_name(call))
    if (
        call.body["metadata"].get("resourceVersion", known["metadata"]["resourceVersion"])
        != known["metadata"]["resourceVersion"]
    ):
        raise Refused(409, "Conflict for resource: version mismatch.", "ABORTED")
    same = call.body["spec"] == known["spec"]
    generation = known["metadata"]["generation"] + (0 if same else 1)
    return _saved(world, call, service_name(call), _ready(world, call.body, service_name(call), generation))


@API.route("DELETE", KNATIVE + "/{service}")
@API.route("DELETE", SERVICES + "/{service}")
def delete(world: World, call: Call) -> Json:
    world.delete(service_name(call))
    iap.unmade(world, call.named.get("location") or call.region, call.named["service"])
    return {"kind": "Status", "status": "Success"}


policies.serve(API, SERVICES + "/{service}", service_name)
policies.serve(API, V2 + "/{service}", service_name)


@API.route("GET", V2 + "/{service}")
def describe_v2(world: World, call: Call) -> Json:
    found = world.get(service_name(call))
    return {"name": service_name(call), "uri": found["status"]["url"], "etag": found["metadata"]["resourceVersion"]}


@API.route("GET", KNATIVE.replace("/services", "/revisions"))
def revisions(world: World, call: Call) -> Json:
    items = [
        {"metadata": {"name": service["status"]["latestReadyRevisionName"]}, "spec": service["spec"]["template"]["spec"]}
        for service in world.under(f"projects/{PROJECT}/locations/{call.region}/services/")
    ]
    return {"apiVersion": "serving.knative.dev/v1", "kind": "RevisionList", "items": items}


def _saved(world: World, call: Call, name: str, service: Json) -> Json:
    if call.query.get("dryRun") != "all":
        world.resources[name] = service
        iap.made(world, name.split("/")[3], service["metadata"]["name"])
    return service


def _ready(world: World, wanted: Json, name: str, generation: int) -> Json:
    service = copy.deepcopy(wanted)
    _check(world, service["spec"]["template"])
    short, location = service["metadata"]["name"], name.split("/")[3]
    url = f"https://{short}-{NUMBER}.{location}.run.app"
    revision = f"{short}-{generation:05d}-stub"
    annotations = service["metadata"].setdefault("annotations", {})
    annotations |= {"serving.knative.dev/creator": "deployer@example.com", "run.googleapis.com/urls": f'["{url}"]'}
    annotations.setdefault("run.googleapis.com/ingress", "all")
    service["metadata"].setdefault("labels", {})["cloud.googleapis.com/location"] = location
    service["metadata"] |= {"namespace": NUMBER, "generation": generation, "resourceVersion": f"V{world.number()}"}
    service["metadata"] |= {"selfLink": f"/apis/serving.knative.dev/v1/namespaces/{NUMBER}/services/{short}", "uid": short}
    service["metadata"].setdefault("creationTimestamp", "2026-01-01T00:00:00Z")
    ready = [{"type": kind, "status": "True"} for kind in ("Ready", "ConfigurationsReady", "RoutesReady")]
    service["status"] = {
        "observedGeneration": generation,
        "conditions": ready,
        "latestReadyRevisionName": revision,
        "latestCreatedRevisionName": revision,
        "traffic": [{"revisionName": revision, "percent": 100, "latestRevision": True}],
        "url": url,
        "address": {"url": url},
    }
    return service


def _check(world: World, template: Json) -> None:
    """Raise what Cloud Run refuses at once."""
    spec = template["spec"]
    email = spec.get("serviceAccountName", "")
    denied = "Permission 'iam.serviceaccounts.actAs' denied on service account {} (or it may not exist)."
    world.require_account(email, 403, denied)
    for secret, version in _secrets(spec):
        secrets.check(world, email, secret, version)
    if not 1 <= spec.get("timeoutSeconds", 300) <= MAX_TIMEOUT_SECONDS:
        raise Refused(400, "spec.template.spec.timeoutSeconds should be between 1 and 3600.")
    if not 1 <= spec.get("containerConcurrency", 80) <= MAX_CONCURRENCY:
        raise Refused(400, "spec.template.spec.containerConcurrency should be between 1 and 1000.")
    for container in spec["containers"]:
        if f"-docker.pkg.dev/{PROJECT}/" in container["image"] and not artifacts.holds(world, container["image"]):
            raise Refused(400, f"Image '{container['image']}' not found.")
        limits = container.get("resources", {}).get("limits", {})
        _check_limits(spec, limits)
        _check_environment(template, limits)
        _check_quota(template, limits)


def _secrets(spec: Json) -> Iterator[tuple[str, str]]:
    """Every secret that a service names, for a variable or a file, and its version."""
    for container in spec["containers"]:
        references = [item["valueFrom"]["secretKeyRef"] for item in container.get("env", ()) if "valueFrom" in item]
        yield from ((reference["name"], reference["key"]) for reference in references)
    for secret in [volume["secret"] for volume in spec.get("volumes", ()) if "secret" in volume]:
        yield from ((secret["secretName"], item["key"]) for item in secret["items"])


def _check_limits(spec: Json, limits: Json) -> None:
    cpus, memory = _cpus(limits.get("cpu", "1")), _mebibytes(limits.get("memory", "512Mi"))
    if cpus < 1 and spec.get("containerConcurrency", 80) > 1:
        raise Refused(400, "Total cpu < 1 is not supported with concurrency > 1.")
    if cpus > 1 and cpus not in (2, 4, 6, 8):
        raise Refused(400, f"Invalid value specified for cpu. {cpus} is not one of 1, 2, 4, 6, 8.")
    if not {4: 2048, 6: 4096, 8: 4096}.get(int(cpus), 128) <= memory <= max(1, cpus) * 4096:
        raise Refused(400, f"Invalid value for memory: {cpus} cpu cannot have {memory}Mi.")


def _check_environment(template: Json, limits: Json) -> None:
    environment = template.get("metadata", {}).get("annotations", {}).get("run.googleapis.com/execution-environment", "gen1")
    if environment not in ("gen1", "gen2"):
        raise Refused(400, f"Invalid execution environment {environment}.")
    if environment == "gen2" and _mebibytes(limits.get("memory", "512Mi")) < GEN2_MEBIBYTES:
        raise Refused(400, "Total memory < 512 Mi is not supported with the gen2 execution environment.")


def _check_quota(template: Json, limits: Json) -> None:
    instances = int(template.get("metadata", {}).get("annotations", {}).get("autoscaling.knative.dev/maxScale", 1))
    cpus, memory = _cpus(limits.get("cpu", "1")), _mebibytes(limits.get("memory", "512Mi"))
    asked = (int(instances * cpus * 1000), int(instances * memory) << 20)
    for (quota, allowed), requested in zip(QUOTA.items(), asked, strict=True):
        if requested > allowed:
            raise Refused(400, f"Quota violated: {quota} requested: {requested} allowed: {allowed}")


def _cpus(text: str) -> float:
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


def _mebibytes(text: str) -> float:
    units = {"Mi": 1.0, "Gi": 1024.0, "M": 0.953, "G": 953.0}
    unit = next(unit for unit in units if text.endswith(unit))
    return float(text.removesuffix(unit)) * units[unit]
