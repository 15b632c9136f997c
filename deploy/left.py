"""Services and accounts that pipeline.toml no longer has: of pools, and of the notifier after the last webhook.

Tasks that were queued for such a service may still wait, so `up` leaves its service alone and says so. Once the service is deleted,
`up` removes its account with its grants. `down` removes both.
"""

import sys
from collections.abc import Iterator

from deploy.deployment import Deployment
from deploy.gcloud import Command, shown
from deploy.listing import NOTIFIER, service_of


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


def notes(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """For each service that is left behind, a sentence, and the command that deletes it."""
    for name in serving(deployment):
        full, host = deployment.short(name), deployment.host(name)
        ours = set(map(deployment.full, deployment.every_queue))
        queues = [queue for queue, found in deployment.state.queues.items() if found.host == host and queue not in ours]
        calls = f", and the queues {', '.join(queues)} still call it" if queues else ""
        delete = shown(["run", "services", "delete", full, deployment.in_region])
        missing = "no webhook" if name == NOTIFIER else "no such pool"
        yield f"the service {full} is left behind: pipeline.toml has {missing}{calls}", delete


def warn(deployment: Deployment) -> None:
    """Print these notes to the errors."""
    for what, delete in notes(deployment):
        advice = f"When none of its tasks waits any more, delete it; the next up removes its account:\n  {delete}"
        print(f"note: {what}. {advice}", file=sys.stderr, flush=True)
