"""storage.googleapis.com, the JSON API: buckets, their policies and notifications. Objects are next door."""

import re

from tests.deploy.stub import policies
from tests.deploy.stub.apis import objects
from tests.deploy.stub.wire import Api, Call, Json, Refused
from tests.deploy.stub.world import NUMBER, PROJECT, World, overlay

API = Api("storage")
BUCKET = "/storage/v1/b/{bucket}"
AGENT = f"service-{NUMBER}@gs-project-accounts.iam.gserviceaccount.com"
objects.serve(API)


def bucket_name(call: Call) -> str:
    return f"buckets/{call.named['bucket']}"


@API.route("GET", "/storage/v1/projects/{project}/serviceAccount")
def agent(world: World, _call: Call) -> Json:
    """Asking for the service agent makes it."""
    world.agents.add(AGENT)
    return {"kind": "storage#serviceAccount", "email_address": AGENT}


@API.route("GET", "/storage/v1/b")
def buckets(world: World, _call: Call) -> Json:
    return {"kind": "storage#buckets", "items": world.under("buckets/")}


@API.route("POST", "/storage/v1/b")
def create(world: World, call: Call) -> Json:
    name = call.body["name"]
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]", name):
        raise Refused(400, f"Invalid bucket name: '{name}'")
    if f"buckets/{name}" in world.resources:
        raise Refused(409, "Your previous request to create the named bucket succeeded and you already own it.")
    made = {
        "kind": "storage#bucket",
        "id": name,
        "projectNumber": NUMBER,
        "metageneration": "1",
        "storageClass": "STANDARD",
        "softDeletePolicy": {"retentionDurationSeconds": "604800"},
        "iamConfiguration": {"publicAccessPrevention": "inherited"},
    }
    overlay(made, call.body)
    made["location"] = call.body.get("location", "US").upper()
    made["locationType"] = "region" if "-" in made["location"] else "multi-region"
    world.create(f"buckets/{name}", made)
    world.policies[f"buckets/{name}"] = world.stamped({"bindings": _legacy()})
    return made


@API.route("GET", BUCKET)
def describe(world: World, call: Call) -> Json:
    return world.get(bucket_name(call))


@API.route("PATCH", BUCKET)
def update(world: World, call: Call) -> Json:
    found = world.get(bucket_name(call))
    overlay(found, call.body)
    found["metageneration"] = str(int(found["metageneration"]) + 1)
    return found


@API.route("DELETE", BUCKET)
def delete(world: World, call: Call) -> Json:
    if world.under(f"{bucket_name(call)}/o/"):
        raise Refused(409, "The bucket you tried to delete is not empty.", "CONFLICT")
    for notification in world.under(f"{bucket_name(call)}/notificationConfigs/"):
        world.delete(f"{bucket_name(call)}/notificationConfigs/{notification['id']}")
    world.delete(bucket_name(call))
    return {}


@API.route("GET", BUCKET + "/iam")
def policy(world: World, call: Call) -> Json:
    return {"kind": "storage#policy", **policies.get(world, bucket_name(call))}


@API.route("PUT", BUCKET + "/iam")
def replace_policy(world: World, call: Call) -> Json:
    guarded = world.get(bucket_name(call))["iamConfiguration"]["publicAccessPrevention"] == "enforced"
    members = {member for binding in call.body.get("bindings", []) for member in binding["members"]}
    if guarded and members & {"allUsers", "allAuthenticatedUsers"}:
        raise Refused(412, "The member bindings allUsers and allAuthenticatedUsers are not allowed: public access prevention.")
    return policies.put(world, bucket_name(call), call.body, stale=412)


@API.route("GET", BUCKET + "/storageLayout")
def layout(world: World, call: Call) -> Json:
    found = world.get(bucket_name(call))
    return {"kind": "storage#storageLayout", "bucket": found["id"], "location": found["location"]}


@API.route("GET", BUCKET + "/managedFolders")
def folders(world: World, call: Call) -> Json:
    world.get(bucket_name(call))
    return {"kind": "storage#managedFolders"}


@API.route("GET", BUCKET + "/notificationConfigs")
def notifications(world: World, call: Call) -> Json:
    world.get(bucket_name(call))
    return {"kind": "storage#notifications", "items": world.under(f"{bucket_name(call)}/notificationConfigs/")}


@API.route("POST", BUCKET + "/notificationConfigs")
def notify(world: World, call: Call) -> Json:
    """Refuse until the service agent may publish. A second one for a topic is taken: it doubles every event."""
    world.get(bucket_name(call))
    topic = call.body["topic"].removeprefix("//pubsub.googleapis.com/")
    may = world.may(f"serviceAccount:{AGENT}", "roles/pubsub.publisher", topic, f"projects/{PROJECT}")
    if topic not in world.resources or not may:
        text = "does not have permission to publish messages to to the Cloud Pub/Sub topic"
        raise Refused(
            403, f"The service account '{AGENT}' {text} '//pubsub.googleapis.com/{topic}', or that topic does not exist."
        )
    number = str(world.number())
    made = {**call.body, "id": number, "kind": "storage#notification", "topic": f"//pubsub.googleapis.com/{topic}"}
    return world.create(f"{bucket_name(call)}/notificationConfigs/{number}", made)


@API.route("GET", BUCKET + "/notificationConfigs/{id}")
def notification(world: World, call: Call) -> Json:
    return world.get(f"{bucket_name(call)}/notificationConfigs/{call.named['id']}")


@API.route("DELETE", BUCKET + "/notificationConfigs/{id}")
def silence(world: World, call: Call) -> Json:
    world.delete(f"{bucket_name(call)}/notificationConfigs/{call.named['id']}")
    return {}


def _legacy() -> list[Json]:
    """The policy of a new bucket."""
    owners = [f"projectEditor:{PROJECT}", f"projectOwner:{PROJECT}"]
    return [
        {"role": "roles/storage.legacyBucketOwner", "members": owners},
        {"role": "roles/storage.legacyBucketReader", "members": [f"projectViewer:{PROJECT}"]},
        {"role": "roles/storage.legacyObjectOwner", "members": owners},
        {"role": "roles/storage.legacyObjectReader", "members": [f"projectViewer:{PROJECT}"]},
    ]
