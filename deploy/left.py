"""Services, accounts and queues that pipeline.toml no longer has: of pools, queues, and webhooks.

Tasks that were queued for such a service may still wait, so `up` leaves its service alone and says so. Once the service is deleted,
`up` removes its account with its grants. `down` removes both. Such a queue stays until it is deleted by hand; `down` pauses it.
"""

import re
import sys
from collections.abc import Iterator

from deploy.deployment import Deployment
from deploy.gcloud import Command, shown
from deploy.listing import NOTIFIER, service_of
from shared.routes.definitions import SWEEPER
from shared.routes.keys import QUEUE_NAME

#: The most tasks that are counted.
MOST = 100


def left(deployment: Deployment) -> list[str]:
    """Each service or account that is left behind, by the name that it would have in grants.tsv."""
    found = {*_services(deployment), *_accounts(deployment)}
    return sorted(found - set(deployment.listing.services))


def _services(deployment: Deployment) -> Iterator[str]:
    for full, found in deployment.state.services.items():
        function, pool = found.variables.get("FUNCTION_TARGET", ""), found.variables.get("SLUICE_POOL", "")
        if pool and deployment.short(service_of(function, pool)) == full:
            yield service_of(function, pool)
        if function == NOTIFIER and deployment.short(NOTIFIER) == full:
            yield NOTIFIER


def _accounts(deployment: Deployment) -> Iterator[str]:
    pooled = {deployment.listing.functions[name] for name in deployment.pools}
    for email, found in deployment.state.accounts.items():
        name = found.title.removeprefix(deployment.account_title(""))
        if deployment.email(name) == email and (name == NOTIFIER or name.partition("-")[0] in pooled):
            yield name


def queues(deployment: Deployment) -> list[str]:
    """The queues that pipeline.toml no longer has, by their names in it, without those of other deployments."""
    prefix, ours, neighbours = deployment.full(""), deployment.every_queue, _neighbours(deployment)
    mine = [full for full in deployment.state.queues if full.startswith(prefix) and not full.startswith(neighbours)]
    return [name for full in mine if re.fullmatch(QUEUE_NAME, name := full.removeprefix(prefix)) and name not in ours]


def _neighbours(deployment: Deployment) -> tuple[str, ...]:
    """The prefixes of other deployments that begin with ours.

    Each has an uploads bucket and a sweeper's queue. Of the two, `down --delete-data` leaves the queue, with all the others.
    """
    longer, project = rf"({re.escape(deployment.full(''))}.+-)", re.escape(deployment.options.project)
    others = set(deployment.state.queues) - set(map(deployment.full, deployment.every_queue))
    found = [re.fullmatch(f"{project}-{longer}uploads", name) for name in deployment.state.buckets]
    found += [re.fullmatch(f"{longer}{SWEEPER.name}", name) for name in others]
    return tuple(one[1] for one in found if one)


def serving(deployment: Deployment) -> list[str]:
    """Those of `left` that have a service."""
    return [name for name in left(deployment) if deployment.short(name) in deployment.state.services]


def retired(deployment: Deployment) -> list[str]:
    """Those of `left` whose accounts may go: no service runs as them, or none will."""
    kept = [] if deployment.options.command == "down" else serving(deployment)
    return [name for name in left(deployment) if name not in kept]


def retired_accounts(deployment: Deployment) -> Iterator[list[Command]]:
    """Delete the accounts of services that are gone. Their grants were revoked before."""
    for email in map(deployment.email, retired(deployment)):
        if email in deployment.state.accounts:
            yield [["iam", "service-accounts", "delete", email]]


def retired_subscription(deployment: Deployment) -> Iterator[list[Command]]:
    """Delete the subscription that pushes notices to the notifier once no webhook wants them."""
    full = deployment.full(NOTIFIER)
    if NOTIFIER not in deployment.listing.services and full in deployment.state.subscriptions:
        yield [["pubsub", "subscriptions", "delete", full]]


def notes(deployment: Deployment) -> Iterator[tuple[str, str, str]]:
    """For each service and queue that is left behind, a sentence, when to delete it, and the command for that."""
    for name in serving(deployment):
        full, host = deployment.short(name), deployment.host(name)
        ours = set(map(deployment.full, deployment.every_queue))
        calling = [queue for queue, found in deployment.state.queues.items() if found.host == host and queue not in ours]
        calls = f", and the queues {', '.join(calling)} still call it" if calling else ""
        delete = shown(["run", "services", "delete", full, deployment.in_region])
        missing = "no webhook" if name == NOTIFIER else "no such pool"
        what = f"the service {full} is left behind: pipeline.toml has {missing}{calls}"
        yield what, "when none of its tasks waits any more, delete it; the next up removes its account", delete
    for name in queues(deployment):
        full = deployment.full(name)
        yield (
            f"the queue {full} is left behind: pipeline.toml does not have it, and {tasks(deployment, name)}",
            "when no task waits in it any more, delete it; or put it back into pipeline.toml",
            shown(["tasks", "queues", "delete", full, deployment.at_location]),
        )


def tasks(deployment: Deployment, name: str) -> str:
    """The number of tasks that wait in a queue that is left behind, in words, and its pause."""
    count, found = deployment.state.waiting.get(name, 0), deployment.state.queues[deployment.full(name)]
    waiting = "no task waits" if not count else "1 task waits" if count == 1 else f"{count} tasks wait"
    paused = "" if found.state == "RUNNING" else f"; it is {found.state.lower()}, so that nothing is delivered"
    return f"{waiting if count <= MOST else f'more than {MOST} tasks wait'}{paused}"


def warn(deployment: Deployment) -> None:
    """Print these notes to the errors."""
    for what, advice, delete in notes(deployment):
        print(f"note: {what}. {advice[0].upper()}{advice[1:]}:\n  {deployment.here(delete)}", file=sys.stderr, flush=True)
