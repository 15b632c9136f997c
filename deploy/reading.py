"""Read the state before anything is changed: a gcloud list per kind of resource, a policy per resource of ours.

An empty list means that nothing exists; a list that cannot be read stops the command.
"""

from typing import Any

from deploy import gcloud, grants, left, sandbox, secret_manager
from deploy.answers import Json, T, at, last, parsed, text
from deploy.deployment import Deployment
from deploy.down import revokes
from deploy.errors import Failed
from deploy.gcloud import Command
from deploy.kinds import (
    LABEL,
    Account,
    Bucket,
    Grant,
    Notification,
    Queue,
    Repository,
    Role,
    Schedule,
    Service,
    Subscription,
    Topic,
    Version,
)
from deploy.observed import Alert, Channel, Dashboard, Metric, SandboxLine
from deploy.state import State


def read_state(deployment: Deployment) -> None:
    """Fill `deployment.state`. Raises Unreadable, and Failed when a bucket lies in another region."""
    state = deployment.state
    describe = ["projects", "describe", deployment.options.project]
    with gcloud.workers() as pool:
        group = pool.submit(_alert_group)
        found = gcloud.read({"project": describe, "api": ["services", "list", "--enabled"]})
    state.project_number = text(found["project"], "projectNumber")
    state.apis = {text(api, "config", "name") for api in found["api"]}
    state.alert_group = group.result()
    fill(state, gcloud.read(lists(deployment)))
    check_region(deployment)
    fill_belongings(deployment, gcloud.read(belongings(deployment)))


def _alert_group() -> list[str]:
    """Alert policies are still alpha in some versions of gcloud."""
    group = ["monitoring", "policies"]
    is_unknown = "Invalid choice: 'policies'" in gcloud.call([*group, "list", "--limit=0"]).stderr
    return ["alpha", *group] if is_unknown else group


def lists(deployment: Deployment) -> dict[str, Command]:
    """A list per kind of resource whose API is on; an API that is off would refuse."""
    options = deployment.options
    every = {
        "bucket": ("storage", ["storage", "buckets", "list"]),
        "topic": ("pubsub", ["pubsub", "topics", "list"]),
        "subscription": ("pubsub", ["pubsub", "subscriptions", "list"]),
        "queue": ("cloudtasks", ["tasks", "queues", "list", deployment.at_location]),
        "schedule": ("cloudscheduler", ["scheduler", "jobs", "list", deployment.at_location]),
        "service": ("run", ["run", "services", "list", deployment.in_region]),
        "account": ("iam", ["iam", "service-accounts", "list"]),
        "secret": ("secretmanager", ["secrets", "list"]),
    }
    if options.command != "doctor":
        every |= {
            "snapshot": ("pubsub", ["pubsub", "snapshots", "list"]),
            "repository": ("artifactregistry", ["artifacts", "repositories", "list", deployment.at_location]),
            "metric": ("logging", ["logging", "metrics", "list"]),
            "alert": ("monitoring", [*deployment.state.alert_group, "list"]),
            "dashboard": ("monitoring", ["monitoring", "dashboards", "list"]),
        }
        if options.notify or options.command == "down":
            every["channel"] = ("monitoring", ["beta", "monitoring", "channels", "list"])
        if options.command != "down":
            every["role"] = ("iam", ["iam", "roles", "list", f"--project={options.project}", "--show-deleted"])
    return {kind: command for kind, (api, command) in every.items() if f"{api}.googleapis.com" in deployment.state.apis}


def fill(state: State, found: dict[str, Any]) -> None:
    """Fill the state from the lists, which come by kind."""

    def rows(kind: str) -> list[Json]:
        return found.get(kind) or []

    def named(kind: str, fields: type[T]) -> dict[str, T]:
        return {last(row["name"]): parsed(fields, row) for row in rows(kind)}

    state.buckets = named("bucket", Bucket)
    state.topics = named("topic", Topic)
    state.subscriptions = named("subscription", Subscription)
    state.snapshots = {last(row["name"]): last(row["topic"]) for row in rows("snapshot")}
    state.queues = named("queue", Queue)
    state.schedules = named("schedule", Schedule)
    state.services = {row["metadata"]["name"]: parsed(Service, row) for row in rows("service")}
    state.secrets = {last(row["name"]): () for row in rows("secret")}
    state.secret_labels = {last(row["name"]): text(row, "labels", LABEL) for row in rows("secret")}
    state.accounts = {row["email"]: parsed(Account, row) for row in rows("account")}
    state.repositories = named("repository", Repository)
    state.roles = {row["name"]: parsed(Role, row) for row in rows("role")}
    state.metrics = named("metric", Metric)
    state.alerts = [parsed(Alert, row) for row in rows("alert")]
    state.dashboards = [parsed(Dashboard, row) for row in rows("dashboard")]
    state.channels = [parsed(Channel, row) for row in rows("channel")]


def check_region(deployment: Deployment) -> None:
    """Services and queues are looked for in one region only: with a wrong one they would seem to be missing."""
    region = deployment.options.region.upper()
    for full in map(deployment.bucket, deployment.listing.buckets):
        found = deployment.state.buckets.get(full)
        if found and found.location != region:
            raise Failed(
                f"bucket {full} is in {found.location}, not in {region}; nothing was changed. "
                "Buckets cannot move: name their --region, or choose another --prefix"
            )


def belongings(deployment: Deployment) -> dict[str, Command]:
    """Commands about single resources that exist: images, notifications, tasks, lines of logs, policies."""
    state, options = deployment.state, deployment.options
    commands = {}
    if options.prefix in state.repositories:
        image = ["artifacts", "docker", "images", "list", deployment.repository, "--include-tags"]
        commands["image"] = [*image, f"--filter=tags:{deployment.tag}"]
    for name in ("uploads", "results"):
        if deployment.bucket(name) in state.buckets:
            commands[f"notification.{name}"] = [
                "storage",
                "buckets",
                "notifications",
                "list",
                f"gs://{deployment.bucket(name)}",
            ]
    commands |= {f"versions.{name}": command for name, command in secret_manager.readings(deployment).items()}
    for name in [*deployment.every_queue] * options.delete_data + left.queues(deployment):
        if deployment.full(name) in state.queues:
            tasks = ["tasks", "list", f"--queue={deployment.full(name)}", deployment.at_location]
            commands[f"waiting.{name}"] = [*tasks, f"--limit={left.MOST + 1}"]
    if options.command == "doctor" and "logging.googleapis.com" in state.apis:
        started = [name for name in deployment.pools if deployment.short(name) in state.services]
        commands |= {f"sandbox.{name}": sandbox.newest_line(deployment, name) for name in started}
    for resource in _with_policy(deployment):
        commands[f"policy.{resource}"] = grants.policy_command(deployment, "get", resource)
    return commands


def _with_policy(deployment: Deployment) -> list[str]:
    """`up` and `doctor` need every policy; `down` needs a few."""
    interest = revokes if deployment.options.command == "down" else bool
    return [name for name in grants.resources(deployment) if interest(name) and grants.exists(deployment, name)]


def fill_belongings(deployment: Deployment, found: dict[str, Any]) -> None:
    state = deployment.state
    for key, answer in found.items():
        kind, _, name = key.partition(".")
        if kind == "image":
            state.digest = text(answer, 0, "version")
        elif kind == "notification":
            state.notifications[name] = [parsed(Notification, it) for it in answer or []]
        elif kind == "sandbox":
            state.sandbox_lines[name] = parsed(SandboxLine, at(answer, 0) or {})
        elif kind == "versions":
            state.secrets[name] = tuple(parsed(Version, it) for it in answer or [])
        elif kind == "waiting" and answer:
            state.waiting[name] = len(answer)
        elif kind == "policy":
            bindings = at(answer, "bindings") or []
            state.policies[name] = [Grant(it["role"], member) for it in bindings for member in it.get("members", [])]
