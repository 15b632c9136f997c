"""Grants: deploy/grants.tsv lists all rights of our accounts; missing ones are added, others removed."""

import csv
from collections.abc import Container, Iterator
from pathlib import Path

from deploy.deployment import Deployment
from deploy.errors import Failed
from deploy.gcloud import Command
from deploy.kinds import Grant
from deploy.left import queues, retired
from deploy.listing import NOTIFIER
from shared import capacity
from shared.routes.webhooks import QUEUE_PREFIX

TABLE = Path("deploy/grants.tsv")
#: Stands in the table for the members of --operators.
OPERATORS = "operators"
#: The same for those who may open the console.
VIEWERS = "viewers"
#: A condition: a route brings files to this processor. It holds for the pools that they come to.
USES = "uses"
#: A condition: a route of pipeline.toml sets this key.
ROUTES = "routes"
#: Kinds of resources that are queues: of steps, of the deployment itself, of webhooks.
QUEUES = ("queue", "own-queue", "webhook")
STRANGERS = ("allUsers", "allAuthenticatedUsers")
#: Resources whose policies may have conditions: without --condition=None gcloud asks for one.
CONDITIONAL = ("project", "repository", "bucket", "account", "service", "iap", "secret", "webhook-secret")


def resources(deployment: Deployment) -> list[str]:
    """Every resource that has a policy, as grants.tsv names it; queues that are left behind are as others."""
    listing, behind = deployment.listing, queues(deployment)
    names = {
        "bucket": listing.buckets,
        "topic": listing.topics,
        "subscription": listing.subscriptions,
        "queue": [*deployment.queues, *(name for name in behind if not name.startswith(QUEUE_PREFIX))],
        "own-queue": deployment.own_queues,
        "webhook": [*deployment.webhooks, *(name for name in behind if name.startswith(QUEUE_PREFIX))],
        "secret": listing.secrets,
        "webhook-secret": deployment.webhook_secrets,
        "account": listing.accounts,
        "service": listing.services,
        "iap": ["console"],
    }
    return ["project", "repository", *(f"{kind}:{name}" for kind in names for name in names[kind])]


def exists(deployment: Deployment, resource: str) -> bool:
    """Whether the resource was there when the state was read."""
    state, (kind, _, name) = deployment.state, resource.partition(":")
    found: dict[str, tuple[str, Container[str]]] = {
        "project": (deployment.options.project, [deployment.options.project]),
        "repository": (deployment.options.prefix, state.repositories),
        "bucket": (deployment.bucket(name), state.buckets),
        "topic": (deployment.full(name), state.topics),
        "subscription": (deployment.full(name), state.subscriptions),
        **dict.fromkeys(QUEUES, (deployment.full(name), state.queues)),
        "secret": (deployment.full(name), state.secrets),
        "webhook-secret": (name, state.secrets),
        "account": (deployment.email(name), state.accounts),
        "service": (deployment.short(name), state.services),
        "iap": (deployment.short(name), [full for full, service in state.services.items() if service.iap]),
    }
    full, names = found[kind]
    return full in names


def policy_command(deployment: Deployment, verb: str, resource: str) -> Command:
    """`get`, or `add` or `remove` a binding, whose --member and --role come after it."""
    kind, _, name = resource.partition(":")
    groups: dict[str, tuple[str, str, list[str]]] = {
        "project": ("projects", deployment.options.project, []),
        "repository": ("artifacts repositories", deployment.options.prefix, [deployment.at_location]),
        "bucket": ("storage buckets", f"gs://{deployment.bucket(name)}", []),
        "account": ("iam service-accounts", deployment.email(name), []),
        "service": ("run services", deployment.short(name), [deployment.in_region]),
        "iap": (
            "beta iap web",
            f"--service={deployment.short(name)}",
            ["--resource-type=cloud-run", deployment.in_region],
        ),
        "topic": ("pubsub topics", deployment.full(name), []),
        "subscription": ("pubsub subscriptions", deployment.full(name), []),
        **dict.fromkeys(QUEUES, ("tasks queues", deployment.full(name), [deployment.at_location])),
        "secret": ("secrets", deployment.full(name), []),
        "webhook-secret": ("secrets", name, []),
    }
    group, target, where = groups[kind]
    if verb == "get":
        return [*group.split(), "get-iam-policy", target, *where]
    unconditional = ["--condition=None"] if kind in CONDITIONAL else []
    return [*group.split(), f"{verb}-iam-policy-binding", target, *where, *unconditional]


def change(deployment: Deployment, verb: str, resource: str, grant: Grant) -> Command:
    """The command that adds or removes one grant."""
    return [*policy_command(deployment, verb, resource), f"--member={grant.member}", f"--role={grant.role}"]


def grants(deployment: Deployment, *wanted_on: str) -> Iterator[list[Command]]:
    """Add the missing grants on these kinds of resources, or on these resources. `revocations` removes others."""
    for resource in resources(deployment):
        if resource in wanted_on or resource.partition(":")[0] in wanted_on:
            found = deployment.state.policies.get(resource, [])
            yield from _changes(
                deployment, "add", resource, [grant for grant in wanted(deployment, resource) if grant not in found]
            )


def revocations(deployment: Deployment) -> Iterator[list[Command]]:
    """Remove grants of our accounts and of strangers that the table lacks; last, when no service needs them."""
    for resource in resources(deployment):
        yield from revoke(deployment, resource, wanted(deployment, resource))


def revoke(deployment: Deployment, resource: str, kept: list[Grant]) -> Iterator[list[Command]]:
    """Remove the grants of our accounts, of strangers, of former operators and viewers on a resource, except `kept`."""
    found = deployment.state.policies.get(resource, [])
    operators, of_viewers = _of_operators(deployment, resource), _roles_of_viewers(deployment, resource)
    ours = [
        grant
        for grant in found
        if _is_ours(deployment, resource, grant.member) or grant in operators or grant.role in of_viewers
    ]
    rogue = [grant for grant in ours if grant not in kept]
    yield from _changes(deployment, "remove", resource, rogue)


def shut_out(deployment: Deployment, resource: str) -> list[Command]:
    """Remove the grants of strangers that the table lacks, before the other revocations."""
    found, kept = deployment.state.policies.get(resource, []), wanted(deployment, resource)
    strangers = [grant for grant in found if grant.member in STRANGERS and grant not in kept]
    deployment.state.policies[resource] = [grant for grant in found if grant not in strangers]  # for `revocations`
    return [change(deployment, "remove", resource, grant) for grant in strangers]


def _changes(deployment: Deployment, verb: str, resource: str, rows: list[Grant]) -> Iterator[list[Command]]:
    """One job, hence one after the other: of two simultaneous changes of a policy, one is refused."""
    if rows:
        yield [change(deployment, verb, resource, grant) for grant in rows]


def wanted(deployment: Deployment, resource: str) -> list[Grant]:
    """The grants of the table on this resource; on a queue that is left behind, those of them that it has."""
    listed = [
        Grant(deployment.role(row["role"]), who)
        for row in _rows(deployment, resource)
        if _holds(deployment, row["when"])
        for who in _members(deployment, row["member"], row["when"])
    ]
    kind, _, name = resource.partition(":")
    is_behind = kind in QUEUES and name not in deployment.every_queue
    return [grant for grant in listed if not is_behind or grant in deployment.state.policies.get(resource, [])]


def _members(deployment: Deployment, name: str, when: str) -> list[str]:
    """The members that a name in the table stands for: `processor` for the account of each pool, or of some.

    Without webhooks there is no notifier.
    """
    if name in (OPERATORS, VIEWERS):
        return deployment.operators if name == OPERATORS else deployment.viewers
    services = [service for service, function in deployment.listing.functions.items() if function == name]
    option, _, used = when.partition("=")
    if option == USES:
        pools = deployment.listing.pools
        return [member(deployment, one) for one in services if used in capacity.processors(deployment.routes, pools[one])]
    if name == NOTIFIER and not services:
        return []
    return [member(deployment, account) for account in services or [name]]


def _of_operators(deployment: Deployment, resource: str) -> set[Grant]:
    """The grants of operators on this resource, also of former ones: whoever has our role on a queue is or was one."""
    ours, policies = deployment.role("queueOperator"), deployment.state.policies
    known = {grant.member for name in policies if name.startswith("queue:") for grant in policies[name] if grant.role == ours}
    roles = {deployment.role(row["role"]) for row in _rows(deployment, resource) if row["member"] == OPERATORS}
    return {Grant(role, who) for role in roles for who in known}


def _roles_of_viewers(deployment: Deployment, resource: str) -> set[str]:
    """The roles on this resource that open the console, whoever has them."""
    return {deployment.role(row["role"]) for row in _rows(deployment, resource) if row["member"] == VIEWERS}


def _rows(deployment: Deployment, resource: str) -> list[dict[str, str]]:
    """The rows of the table about this resource: those about the processor are about each pool."""
    kind, _, name = resource.partition(":")
    function = deployment.listing.functions.get(name, name) if kind == "service" else name
    return [row for row in table() if row["on"] in (resource, f"{kind}:{function}", f"{kind}:*")]


def table() -> list[dict[str, str]]:
    """The rows of grants.tsv."""
    with TABLE.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _holds(deployment: Deployment, when: str) -> bool:
    option, _, value = when.partition("=")
    if option == "queue-auth":
        return deployment.options.queue_auth == value
    if option == "console-access":
        return deployment.options.console_access == value
    if option == "open":
        has_check = not deployment.options.no_invoker_iam_check  # without it, no policy is asked
        return has_check and value in deployment.options.allow_unauthenticated.split(",")
    if option == ROUTES:
        return any(getattr(route, value) for route in deployment.routes.routes)
    if when != "always" and option != USES:
        right = "always, queue-auth=VALUE, console-access=VALUE, open=SERVICE, uses=PROCESSOR or routes=KEY"
        raise Failed(f"{TABLE}: `{when}` is no condition; write {right}")
    return True


def member(deployment: Deployment, name: str) -> str:
    """A member as policies spell it: an account of ours, a service agent of Google's, or allUsers."""
    agents = {
        "agent:storage": deployment.storage_agent,
        "agent:pubsub": deployment.pubsub_agent,
        "agent:scheduler": deployment.scheduler_agent,
        "agent:iap": deployment.iap_agent,
    }
    return name if name == "allUsers" else f"serviceAccount:{agents.get(name) or deployment.email(name)}"


def _is_ours(deployment: Deployment, resource: str, who: str) -> bool:
    """Whether a member is an account of ours, deleted or not, or, except on the project, a stranger."""
    if resource != "project" and who in STRANGERS:
        return True
    account = who.removeprefix("deleted:").partition("?uid=")[0]
    names = [*deployment.listing.accounts, *retired(deployment)]
    return account in [member(deployment, name) for name in names]
