"""`doctor`: search the state for common faults; print each with the command that mends it."""

from collections.abc import Iterator
from typing import NamedTuple

from deploy import drift, grants, left, queues, sandbox, scheduler, secret_manager, webhooks
from deploy.deployment import Deployment
from deploy.errors import Failed
from deploy.gcloud import shown
from deploy.kinds import ENVIRONMENT, Grant
from deploy.listing import NOTIFIER
from deploy.pubsub import remove_notification
from deploy.status import service_state

UP = "./deploy.sh up"
#: Grants that work stops without: resource, role, member, the fault in words.
NEEDED = (
    ("service:dispatcher", "run.invoker", "push", "Pub/Sub may not call the dispatcher (missing invoker): pushes end in 403"),
    ("account:push", "iam.serviceAccountTokenCreator", "agent:pubsub", "Pub/Sub may not make the tokens of {push}"),
    ("topic:uploads", "pubsub.publisher", "agent:storage", "Cloud Storage may not publish to {uploads}: events are lost "
     "(missing publisher grant of the storage agent)"),
    ("topic:dead-letters", "pubsub.publisher", "agent:pubsub", "Pub/Sub may not publish dead letters (missing grant): "
     "they are delivered again and again"),
    ("subscription:dispatcher", "pubsub.subscriber", "agent:pubsub", "Pub/Sub may not take dead letters off the "
     "subscription (missing grant)"),
    ("account:signer", "iam.serviceAccountTokenCreator", "issuer", "the issuer may not sign as {signer}: it answers 503"),
    ("account:reader", "iam.serviceAccountTokenCreator", "status", "status may not sign as {reader}: no download links"),
    ("account:signer", "iam.serviceAccountTokenCreator", "console", "the console may not sign as {signer}: no uploads by its page"),
    ("account:reader", "iam.serviceAccountTokenCreator", "console", "the console may not sign as {reader}: no pictures, no links"),
)  # fmt: skip
#: The same, where the console is behind Identity-Aware Proxy.
PASSING = (
    "service:console",
    "run.invoker",
    "agent:iap",
    "Identity-Aware Proxy may not call {name} (missing invoker): 403 for all",
)
#: The same, for the service of each pool.
CALLER = ("run.invoker", "tasks", "Cloud Tasks may not call {name} (missing invoker): tasks end in 403")


class Fault(NamedTuple):
    """A fault, and the command that mends it."""

    what: str
    fix: str


def doctor(deployment: Deployment) -> None:
    """Print the sandbox of each pool, then every fault. Raises Failed when there is a fault."""
    for note in sandbox.notes(deployment):
        print(note)
    found = list(faults(deployment))
    for fault in found:
        print(f"* {fault.what}\n  fix: {deployment.here(fault.fix)}")
    if found:
        raise Failed(deployment.here(f"{len(found)} faults found. {UP} repairs drift; ./deploy.sh plan shows how."))
    print("No fault found.")


def faults(deployment: Deployment) -> Iterator[Fault]:
    """Every fault in the state."""
    for check in CHECKS:
        yield from check(deployment)


def _secrets(deployment: Deployment) -> Iterator[Fault]:
    for full in map(deployment.full, deployment.listing.secrets):
        if not secret_manager.newest(deployment.state.secrets.get(full, ())):
            yield Fault(f"the secret {full} is missing or disabled: upload and issuer do not start", UP)


def _webhooks(deployment: Deployment) -> Iterator[Fault]:
    for what, remedy in webhooks.faults(deployment):
        yield Fault(what, remedy)


def _sweeps(deployment: Deployment) -> Iterator[Fault]:
    for what, remedy in scheduler.faults(deployment):
        yield Fault(what, remedy)


def _apis(deployment: Deployment) -> Iterator[Fault]:
    for name in deployment.listing.apis:
        if f"{name}.googleapis.com" not in deployment.state.apis:
            yield Fault(f"the API {name} is off", f"gcloud services enable {name}.googleapis.com")


def _services(deployment: Deployment) -> Iterator[Fault]:
    for name in deployment.listing.services:
        full, state = deployment.short(name), service_state(deployment, name)
        found = deployment.state.services.get(full)
        if state != "ready":
            logs = f"gcloud run services logs read {full} {deployment.in_region}"
            yield Fault(f"the service {full} is {state}", f"{UP}; why it does not start: {logs}")
        if found and found.environment != ENVIRONMENT:
            what = f"the service {full} runs in the execution environment '{found.environment or 'default'}'"
            yield Fault(f"{what}: the sandbox needs the kernel of {ENVIRONMENT}", UP)


def _sandboxes(deployment: Deployment) -> Iterator[Fault]:
    for what, remedy in sandbox.weaker(deployment):
        yield Fault(what, remedy)


def _left_behind(deployment: Deployment) -> Iterator[Fault]:
    for what, advice, delete in left.notes(deployment):
        yield Fault(what, f"{advice}: {delete}")


def _grants(deployment: Deployment) -> Iterator[Fault]:
    names = {account: deployment.email(account) for account in ("push", "signer", "reader")}
    pools = [(f"service:{name}", *CALLER) for name in deployment.pools]
    for resource, role, member, what in (*NEEDED, *[PASSING] * deployment.is_behind_iap, *pools):
        grant = Grant(f"roles/{role}", grants.member(deployment, member))
        if grant not in deployment.state.policies.get(resource, []):
            fix = shown(grants.change(deployment, "add", resource, grant))
            name = deployment.short(resource.partition(":")[2])
            yield Fault(what.format(name=name, uploads=deployment.full("uploads"), **names), fix)
    named = [*NEEDED, PASSING, *pools, *scheduler.NEEDED, *webhooks.NEEDED]
    yield from _other_grants(deployment, {(on, f"roles/{role}", grants.member(deployment, who)) for on, role, who, _ in named})
    for name in ("dispatcher", "sweeper", "console", *deployment.pools):
        found = deployment.state.policies.get(f"service:{name}", [])
        if any(grant.member in grants.STRANGERS for grant in found):
            yield Fault(f"strangers may call {deployment.short(name)}", UP)


def _other_grants(deployment: Deployment, named: set[tuple[str, str, str]]) -> Iterator[Fault]:
    """A fault for each resource that lacks grants of the table, but for those that are named otherwise."""
    for resource in grants.resources(deployment):
        found = deployment.state.policies.get(resource, [])
        missing = [it for it in grants.wanted(deployment, resource) if it not in found and (resource, *it) not in named]
        if missing and grants.exists(deployment, resource):
            listed = ", ".join(f"{grant.role.rpartition('/')[2]} of {grant.member.partition(':')[2]}" for grant in missing)
            yield Fault(f"missing grants on {resource}: {listed}", UP)


def _push(deployment: Deployment) -> Iterator[Fault]:
    full, url, account = deployment.full("dispatcher"), deployment.url("dispatcher"), deployment.email("push")
    found = deployment.state.subscriptions.get(full)
    if found is None:
        yield Fault(f"the subscription {full} is missing: the dispatcher gets no notifications of uploads", UP)
        return
    if found.topic != deployment.full("uploads"):
        yield Fault(f"the subscription {full} listens to {found.topic}", f"gcloud pubsub subscriptions delete {full}; {UP}")
    if found.audience != url:
        yield Fault(
            f"wrong audience: pushes carry tokens for '{found.audience}', the dispatcher takes those for {url}; it answers 401",
            f"gcloud pubsub subscriptions update {full} --push-auth-token-audience={url} "
            f"--push-auth-service-account={account} --push-endpoint={deployment.push_endpoint}",
        )
    if found.account != account:
        yield Fault(f"pushes come from '{found.account}', the dispatcher takes them from {account}; it answers 403", UP)
    if not found.endpoint.startswith(f"{url}/"):
        yield Fault(f"pushes go to {found.endpoint}", UP)


def _notifications(deployment: Deployment) -> Iterator[Fault]:
    ours = [it for it in deployment.state.notifications.get("uploads", []) if it.topic == deployment.topic_of_uploads]
    if not ours:
        yield Fault("the uploads bucket has no notification: uploads stay unprocessed", UP)
    if len(ours) > 1:
        fix = " ".join(["gcloud", *remove_notification(deployment, "uploads", ours[-1].id)])
        yield Fault(f"duplicate notifications: every upload is announced {len(ours)} times", fix)
    yield from (Fault(what, UP) for what in drift.of_notification(deployment))
    for full, found in deployment.state.subscriptions.items():
        if full != deployment.full("dispatcher") and found.endpoint.startswith(f"{deployment.url('dispatcher')}/"):
            what = f"{full} pushes to the dispatcher as well: every upload is announced twice"
            yield Fault(what, f"gcloud pubsub subscriptions delete {full}")


def _drift(deployment: Deployment) -> Iterator[Fault]:
    """The fields that no other check names."""
    pushed = [deployment.full(name) for name in ("dispatcher", NOTIFIER)]
    named = frozenset((full, field) for full in pushed for field in ("topic", "endpoint", "account", "audience"))
    for it in drift.drifts(deployment, named):
        yield Fault(f"the {it.kind} {it.full} differs: {it.words}", UP)


def _dead_letters(deployment: Deployment) -> Iterator[Fault]:
    full = deployment.full("dead-letters")
    if full not in [found.topic for found in deployment.state.subscriptions.values()]:
        fix = f"gcloud pubsub subscriptions create {full} --topic={full} --expiration-period=never"
        yield Fault("the dead-letter topic has no subscription: dead letters are lost", fix)


def _queues(deployment: Deployment) -> Iterator[Fault]:
    for name, server in queues.servers(deployment).items():
        full, right = deployment.full(name), (deployment.email("tasks"), deployment.url(server))
        found = deployment.state.queues.get(full)
        if found is None:
            yield Fault(f"the queue {full} is missing: its tasks cannot be queued", UP)
            continue
        if found.state != "RUNNING":
            resume = f"gcloud tasks queues resume {full} {deployment.at_location}"
            yield Fault(f"paused queue: {full} delivers nothing", resume)
        if deployment.options.queue_auth == "queue" and (found.account, found.audience) != right:
            what = f"wrong audience or account: {full} calls {deployment.short(server)}"
            yield Fault(f"{what} with tokens that it refuses, or without any", UP)


def _buckets(deployment: Deployment) -> Iterator[Fault]:
    uploads = deployment.bucket("uploads")
    for full in map(deployment.short, deployment.listing.services):
        found = deployment.state.services.get(full)
        named = [value for name, value in found.variables.items() if name.endswith("BUCKET")] if found else []
        if named.count(uploads) > 1:
            what = f"overlapping buckets: {full} writes results into the uploads bucket, where they would be processed again"
            yield Fault(what, UP)
    if any(it.topic == deployment.topic_of_uploads for it in deployment.state.notifications.get("results", [])):
        what = f"overlapping buckets: the results bucket notifies {deployment.full('uploads')} too"
        yield Fault(what, f"gcloud storage buckets notifications delete gs://{deployment.bucket('results')}")


CHECKS = (
    _apis,
    _services,
    _secrets,
    _sandboxes,
    _left_behind,
    _grants,
    _push,
    _webhooks,
    _sweeps,
    _notifications,
    _drift,
    _dead_letters,
    _queues,
    _buckets,
)
