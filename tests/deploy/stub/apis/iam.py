"""iam.googleapis.com: service accounts, their policies, and custom roles."""

from tests.deploy.stub import policies
from tests.deploy.stub.wire import Api, Call, Json, Refused
from tests.deploy.stub.world import PROJECT, World, merge

API = Api("iam")
ACCOUNTS = "/v1/projects/{project}/serviceAccounts"
ROLES = "/v1/projects/{project}/roles"


def account(call: Call) -> str:
    return f"projects/{PROJECT}/serviceAccounts/{call.named['email']}"


@API.route("GET", ACCOUNTS)
def listing(world: World, _call: Call) -> Json:
    return {"accounts": world.under(f"projects/{PROJECT}/serviceAccounts/")}


@API.route("POST", ACCOUNTS)
def create(world: World, call: Call) -> Json:
    identifier = call.body["accountId"]
    if not 6 <= len(identifier) <= 30:
        raise Refused(400, f"The account ID {identifier!r} does not have a length between 6 and 30.")
    email = f"{identifier}@{PROJECT}.iam.gserviceaccount.com"
    name = f"projects/{PROJECT}/serviceAccounts/{email}"
    made = {"name": name, "email": email, "projectId": PROJECT, "uniqueId": f"{world.number():021d}"}
    return world.create(name, {**made, **call.body.get("serviceAccount", {})})


@API.route("GET", ACCOUNTS + "/{email}")
def describe(world: World, call: Call) -> Json:
    return world.get(account(call))


@API.route("PATCH", ACCOUNTS + "/{email}")
def update(world: World, call: Call) -> Json:
    found = world.get(account(call))
    merge(found, call.body["serviceAccount"], call.body["updateMask"])
    return found


@API.route("DELETE", ACCOUNTS + "/{email}")
def delete(world: World, call: Call) -> Json:
    world.delete(account(call))
    policies.forget(world, call.named["email"])
    return {}


@API.route("POST", ACCOUNTS + "/{email}:enable")
def enable(world: World, call: Call) -> Json:
    world.get(account(call)).pop("disabled", None)
    return {}


@API.route("GET", ACCOUNTS + "/{email}/keys")
def keys(world: World, call: Call) -> Json:
    world.get(account(call))
    return {"keys": []}


policies.serve(API, ACCOUNTS + "/{email}", account, reading="POST")


@API.route("POST", "/v1/permissions:queryTestablePermissions")
def permissions(_world: World, _call: Call) -> Json:
    return {"permissions": [{"name": "iam.serviceAccounts.signBlob", "stage": "GA"}]}


@API.route("GET", ROLES)
def roles(world: World, _call: Call) -> Json:
    return {"roles": world.under(f"projects/{PROJECT}/roles/")}


@API.route("POST", ROLES)
def create_role(world: World, call: Call) -> Json:
    name = f"projects/{PROJECT}/roles/{call.body['roleId']}"
    return world.create(name, {"name": name, "etag": "ACAB", **call.body.get("role", {})})


@API.route("GET", ROLES + "/{role}")
def describe_role(world: World, call: Call) -> Json:
    return world.get(f"projects/{PROJECT}/roles/{call.named['role']}")


@API.route("PATCH", ROLES + "/{role}")
def update_role(world: World, call: Call) -> Json:
    found = describe_role(world, call)
    assert isinstance(found, dict)
    merge(found, call.body, call.query.get("updateMask", ",".join(call.body)))
    return found


@API.route("DELETE", ROLES + "/{role}")
def delete_role(world: World, call: Call) -> Json:
    return world.delete(f"projects/{PROJECT}/roles/{call.named['role']}")
