"""secretmanager.googleapis.com: secrets and their versions, of which no answer has the value."""

from tests.deploy.stub import policies
from tests.deploy.stub.wire import Api, Call, Json, Refused
from tests.deploy.stub.world import NUMBER, World, merge

API = Api("secretmanager")
SECRETS = "/v1/projects/{project}/secrets"
SECRET = SECRETS + "/{secret}"
FOLDER = f"projects/{NUMBER}/secrets/"


def secret_name(call: Call) -> str:
    return FOLDER + call.named["secret"]


@API.route("GET", SECRETS)
def secrets(world: World, _call: Call) -> Json:
    return {"secrets": world.under(FOLDER)}


@API.route("POST", SECRETS)
def create(world: World, call: Call) -> Json:
    name = FOLDER + call.query["secretId"]
    if not call.body.get("replication"):
        raise Refused(400, "Secret.replication must be set.")
    return world.create(name, {**call.body, "name": name})


@API.route("GET", SECRET)
def describe(world: World, call: Call) -> Json:
    return world.get(secret_name(call))


@API.route("PATCH", SECRET)
def update(world: World, call: Call) -> Json:
    found = world.get(secret_name(call))
    merge(found, call.body, call.query["updateMask"])
    return found


@API.route("DELETE", SECRET)
def delete(world: World, call: Call) -> Json:
    for version in world.under(f"{secret_name(call)}/versions/"):
        world.delete(version["name"])
    world.delete(secret_name(call))
    return {}


@API.route("POST", SECRET + ":addVersion")
def add_version(world: World, call: Call) -> Json:
    """The value is kept aside: `contents` are no part of the state that is shown."""
    world.get(secret_name(call))
    number = 1 + len(world.under(f"{secret_name(call)}/versions/"))
    name = f"{secret_name(call)}/versions/{number}"
    world.contents[name] = call.body["payload"]["data"].encode()
    return world.create(name, {"name": name, "state": "ENABLED"})


@API.route("GET", SECRET + "/versions")
def versions(world: World, call: Call) -> Json:
    world.get(secret_name(call))
    return {"versions": world.under(f"{secret_name(call)}/versions/")}


policies.serve(API, SECRET, secret_name)


def check(world: World, email: str, name: str, version: str) -> None:
    """Raise what Cloud Run refuses: a secret, or a version, that is missing, or that this account may not read."""
    folder = f"{FOLDER}{name}/versions/"
    found = [it["name"] for it in world.under(folder) if it["state"] == "ENABLED"]
    if not found or (version != "latest" and folder + version not in found):
        raise Refused(400, f"Secret {FOLDER}{name}/versions/{version} was not found")
    if not world.may(f"serviceAccount:{email}", "roles/secretmanager.secretAccessor", FOLDER + name):
        raise Refused(
            400, f"Permission denied on secret: {FOLDER}{name}/versions/{version} for Revision service account {email}."
        )
