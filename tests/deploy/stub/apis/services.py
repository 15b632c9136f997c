"""serviceusage.googleapis.com: which APIs are enabled, and the accounts in whose name they act."""

from tests.deploy.stub.wire import Api, Call, Json
from tests.deploy.stub.world import NUMBER, World, done

API = Api("serviceusage")
PARENT = "/v1/projects/{project}/services"
#: Made by generateServiceIdentity.
_AGENTS = {"pubsub": "gcp-sa-pubsub", "cloudtasks": "gcp-sa-cloudtasks", "run": "serverless-robot-prod"}


@API.route("GET", PARENT)
def listing(world: World, _call: Call) -> Json:
    return {"services": [_service(world, name) for name in sorted(world.apis)]}


@API.route("GET", PARENT + "/{service}")
def describe(world: World, call: Call) -> Json:
    return _service(world, call.named["service"])


@API.route("POST", PARENT + ":batchEnable")
def enable_many(world: World, call: Call) -> Json:
    world.apis.update(call.body["serviceIds"])
    return done(world, "", {"services": [_service(world, name) for name in call.body["serviceIds"]]})


@API.route("POST", PARENT + "/{service}:enable")
def enable(world: World, call: Call) -> Json:
    world.apis.add(call.named["service"])
    return done(world, "", {"service": _service(world, call.named["service"])})


@API.route("POST", PARENT + "/{service}:disable")
def disable(world: World, call: Call) -> Json:
    world.apis.discard(call.named["service"])
    return done(world, "", {"service": _service(world, call.named["service"])})


@API.route("POST", "/v1beta1/projects/{project}/services/{service}:generateServiceIdentity")
def identity(world: World, call: Call) -> Json:
    name = call.named["service"].removesuffix(".googleapis.com")
    email = f"service-{NUMBER}@{_AGENTS.get(name, 'gcp-sa-' + name)}.iam.gserviceaccount.com"
    world.agents.add(email)
    kind = "type.googleapis.com/google.api.serviceusage.v1beta1.ServiceIdentity"
    return done(world, "", {"@type": kind, "email": email, "uniqueId": "1"})


@API.route("GET", "/v1/operations/{id}")
@API.route("GET", "/v1beta1/operations/{id}")
def operation(world: World, call: Call) -> Json:
    return world.operations[f"operations/{call.named['id']}"]


def _service(world: World, name: str) -> Json:
    state = "ENABLED" if name in world.apis else "DISABLED"
    return {
        "name": f"projects/{NUMBER}/services/{name}",
        "config": {"name": name},
        "state": state,
        "parent": f"projects/{NUMBER}",
    }
