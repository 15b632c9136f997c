"""pubsub.googleapis.com: topics and subscriptions."""

from tests.deploy.stub import policies
from tests.deploy.stub.wire import Api, Call, Json, Refused
from tests.deploy.stub.world import PROJECT, World, merge

API = Api("pubsub")
TOPIC = "/v1/projects/{project}/topics/{topic}"
SUBSCRIPTION = "/v1/projects/{project}/subscriptions/{subscription}"
SNAPSHOT = "/v1/projects/{project}/snapshots/{snapshot}"
#: What the service fills in.
_DEFAULTS: Json = {"ackDeadlineSeconds": 10, "messageRetentionDuration": "604800s", "pushConfig": {}, "state": "ACTIVE"}


def topic_name(call: Call) -> str:
    return f"projects/{PROJECT}/topics/{call.named['topic']}"


def subscription_name(call: Call) -> str:
    return f"projects/{PROJECT}/subscriptions/{call.named['subscription']}"


def snapshot_name(call: Call) -> str:
    return f"projects/{PROJECT}/snapshots/{call.named['snapshot']}"


@API.route("GET", "/v1/projects/{project}/topics")
def topics(world: World, _call: Call) -> Json:
    return {"topics": world.under(f"projects/{PROJECT}/topics/")}


@API.route("PUT", TOPIC)
def create_topic(world: World, call: Call) -> Json:
    _check_topic(call.body)
    return world.create(topic_name(call), {**call.body, "name": topic_name(call)})


@API.route("GET", TOPIC)
def topic(world: World, call: Call) -> Json:
    return world.get(topic_name(call))


@API.route("PATCH", TOPIC)
def update_topic(world: World, call: Call) -> Json:
    found = world.get(topic_name(call))
    _check_topic(call.body["topic"])
    merge(found, call.body["topic"], call.body["updateMask"])
    return found


@API.route("DELETE", TOPIC)
def delete_topic(world: World, call: Call) -> Json:
    world.delete(topic_name(call))
    for subscription in world.under(f"projects/{PROJECT}/subscriptions/"):
        if subscription["topic"] == topic_name(call):
            subscription["topic"] = "_deleted-topic_"
    return {}


@API.route("GET", TOPIC + "/subscriptions")
def subscriptions_of(world: World, call: Call) -> Json:
    world.get(topic_name(call))
    every = world.under(f"projects/{PROJECT}/subscriptions/")
    return {"subscriptions": [found["name"] for found in every if found["topic"] == topic_name(call)]}


@API.route("POST", TOPIC + ":publish")
def publish(world: World, call: Call) -> Json:
    world.get(topic_name(call))
    return {"messageIds": [str(world.number()) for _ in call.body["messages"]]}


@API.route("GET", "/v1/projects/{project}/subscriptions")
def subscriptions(world: World, _call: Call) -> Json:
    return {"subscriptions": world.under(f"projects/{PROJECT}/subscriptions/")}


@API.route("PUT", SUBSCRIPTION)
def create_subscription(world: World, call: Call) -> Json:
    name = subscription_name(call)
    wanted = {**_DEFAULTS, "expirationPolicy": {"ttl": "2678400s"}, **call.body, "name": name}
    if name in world.resources:
        raise Refused(409, f"Resource already exists in the project (resource={name}).")
    world.get(wanted["topic"])
    _check(world, wanted)
    return world.create(name, wanted)


@API.route("GET", SUBSCRIPTION)
def subscription(world: World, call: Call) -> Json:
    return world.get(subscription_name(call))


@API.route("PATCH", SUBSCRIPTION)
def update_subscription(world: World, call: Call) -> Json:
    found, mask = world.get(subscription_name(call)), call.body["updateMask"]
    fixed = {"filter", "topic", "enableMessageOrdering"} & set(mask.split(","))
    if fixed:
        raise Refused(400, f"{', '.join(fixed)} of a subscription cannot be changed.")
    _check(world, call.body["subscription"])
    merge(found, call.body["subscription"], mask)
    return found


@API.route("POST", SUBSCRIPTION + ":modifyPushConfig")
def modify_push(world: World, call: Call) -> Json:
    found = world.get(subscription_name(call))
    _check(world, call.body)
    found["pushConfig"] = call.body["pushConfig"]
    return {}


@API.route("POST", SUBSCRIPTION + ":pull")
def pull(world: World, call: Call) -> Json:
    world.get(subscription_name(call))
    return {}


@API.route("DELETE", SUBSCRIPTION)
def delete_subscription(world: World, call: Call) -> Json:
    world.delete(subscription_name(call))
    return {}


@API.route("GET", "/v1/projects/{project}/snapshots")
def snapshots(world: World, _call: Call) -> Json:
    return {"snapshots": world.under(f"projects/{PROJECT}/snapshots/")}


@API.route("PUT", SNAPSHOT)
def create_snapshot(world: World, call: Call) -> Json:
    found, name = world.get(call.body["subscription"]), snapshot_name(call)
    if found.get("detached"):
        raise Refused(400, "The subscription is detached.", "FAILED_PRECONDITION")
    return world.create(name, {"name": name, "topic": found["topic"], "expireTime": "2027-01-01T00:00:00Z"})


@API.route("DELETE", SNAPSHOT)
def delete_snapshot(world: World, call: Call) -> Json:
    world.delete(snapshot_name(call))
    return {}


@API.route("POST", SUBSCRIPTION + ":seek")
def seek(world: World, call: Call) -> Json:
    if world.get(subscription_name(call))["topic"] != world.get(call.body["snapshot"])["topic"]:
        raise Refused(400, "The snapshot's topic must be the same as that of the subscription.")
    return {}


policies.serve(API, TOPIC, topic_name)
policies.serve(API, SUBSCRIPTION, subscription_name)


def _check_topic(wanted: Json) -> None:
    if not 600 <= float(wanted.get("messageRetentionDuration", "600s")[:-1]) <= 31 * 24 * 3600:
        raise Refused(400, "message_retention_duration must be between 10 minutes and 31 days.")


def _check(world: World, wanted: Json) -> None:
    push, dead = wanted.get("pushConfig", {}), wanted.get("deadLetterPolicy", {})
    if email := push.get("oidcToken", {}).get("serviceAccountEmail"):
        world.require_account(email)
    if not (push.get("pushEndpoint") or "https://").startswith("https://"):  # without one, it is pulled
        raise Refused(400, f"Invalid push endpoint given (endpoint={push['pushEndpoint']}).")
    if dead:
        world.get(dead["deadLetterTopic"])
    if dead and not 5 <= dead.get("maxDeliveryAttempts", 5) <= 100:
        raise Refused(400, "maxDeliveryAttempts must be between 5 and 100.")
    if not 10 <= wanted.get("ackDeadlineSeconds", 10) <= 600:
        raise Refused(400, "ackDeadlineSeconds must be between 10 and 600.")
    retry = wanted.get("retryPolicy", {})
    least, most = (float(retry.get(end, given)[:-1]) for end, given in (("minimumBackoff", "10s"), ("maximumBackoff", "600s")))
    if not 0 <= least <= most <= 600:
        raise Refused(400, "Backoffs must be between 0 and 600 seconds, the minimum not above the maximum.")
