"""Checks of webhooks: their URLs and references, their secrets in the project, and the calls of the notifier."""

import sys
from collections.abc import Iterator

from deploy import grants, secret_manager
from deploy.deployment import Deployment
from deploy.errors import Failed
from deploy.gcloud import shown
from deploy.kinds import Grant
from deploy.listing import NOTIFIER
from shared.routes import Webhook
from shared.webhooks import checks

UP = "./deploy.sh up"
API = "secretmanager.googleapis.com"
#: Grants that webhooks stop without: resource, role, member, the fault in words.
NEEDED = tuple(
    (f"service:{NOTIFIER}", "run.invoker", account, f"{caller} may not call {{name}} (missing invoker): webhooks get nothing")
    for account, caller in (("push", "Pub/Sub"), ("tasks", "Cloud Tasks"))
)


def check(deployment: Deployment) -> None:
    """Raise Failed, with every fault, for webhooks that work on this computer only, or that could delay each other."""
    faults = [fault for webhook in deployment.webhooks.values() for fault in _faults(deployment, webhook)]
    faults += _overrun(deployment)
    if faults:
        raise Failed("\n".join(f"pipeline.toml: {fault}" for fault in faults))


def _faults(deployment: Deployment, webhook: Webhook) -> Iterator[str]:
    path, (kind, _, name) = f"webhooks.{webhook.name}", webhook.secret.partition(":")
    if not webhook.url.startswith("https://"):
        yield f"{path}.url: {webhook.shown} is no https; http is for the local stack"
    elif fault := checks.fault(webhook, loopback=False):
        yield fault
    if kind != "secret-manager":
        yield f"{path}.secret: {webhook.secret} is for the local stack; write `secret-manager:` and the name of a secret"
    elif name in map(deployment.full, deployment.listing.secrets):
        yield f"{path}.secret: {name} is Sluice's own; make one for the receiver"


def _overrun(deployment: Deployment) -> Iterator[str]:
    """The fault of more deliveries at once than the notifier takes: receivers that hang would delay the others."""
    sizes = [
        line.arguments[3] for line in deployment.listing.lines if line.arguments[:1] == (NOTIFIER,) and line.word == "service"
    ]
    sent = sum(webhook.rates.max_concurrent_dispatches for webhook in deployment.webhooks.values())
    for at_once in map(int, sizes):
        least = -(-(sent + at_once // 10) // at_once)  # a tenth of an instance for pushes
        if int(deployment.options.instances) < least:
            yield f"webhooks: {sent} deliveries at once are more than the notifier takes; say --instances {least}"


def require_secrets(deployment: Deployment) -> None:
    """Before `up`: raise Failed where a webhook's secret is missing; before `plan` and `status`: print a note."""
    command, found = deployment.options.command, list(missing(deployment))
    if command == "up" and found:
        lines = [f"{what}; make one:\n  {fix}" for what, fix in found]
        raise Failed("\n".join([*lines, "nothing was changed"]))
    for what, fix in found if command in ("plan", "status") else ():
        print(f"note: {what}: up would refuse. Make one:\n  {fix}", file=sys.stderr, flush=True)


def missing(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """For each secret of a webhook that is missing or has no version, a sentence, and the command that makes it."""
    for name in deployment.webhook_secrets:
        versions = deployment.state.secrets.get(name)
        if versions is not None and secret_manager.newest(versions):
            continue
        users = ", ".join(webhook.name for webhook in deployment.webhooks.values() if webhook.secret.endswith(f":{name}"))
        verb = ["create", name] if versions is None else ["versions", "add", name]
        fix = shown(["secrets", *verb, "--data-file=-", f"--project={deployment.options.project}"])
        enable = "" if API in deployment.state.apis else f"gcloud services enable {API} && "
        what = "missing" if versions is None else "without a version that is enabled"
        yield f"the secret {name} of the webhook {users} is {what}", f'{enable}echo "whsec_$(openssl rand -base64 32)" | {fix}'


def faults(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """For `doctor`: each fault of the webhooks, and the command that mends it."""
    yield from missing(deployment)
    if deployment.webhooks:
        yield from _callers(deployment)
        yield from _push(deployment)
    for name, webhook in deployment.webhooks.items():
        found = deployment.state.queues.get(deployment.full(name))
        if found is None:
            yield f"the queue {deployment.full(name)} is missing: the webhook {webhook.name} gets nothing", UP
        elif found.state != "RUNNING":
            what = f"paused webhook: {webhook.name} gets nothing; its receiver answered 410, or an operator paused it"
            yield what, f"./sluice webhooks resume {webhook.name}"


def _callers(deployment: Deployment) -> Iterator[tuple[str, str]]:
    resource, full = f"service:{NOTIFIER}", deployment.short(NOTIFIER)
    found = deployment.state.policies.get(resource, [])
    for _, role, account, what in NEEDED:
        grant = Grant(f"roles/{role}", grants.member(deployment, account))
        if grant not in found:
            yield what.format(name=full), shown(grants.change(deployment, "add", resource, grant))
    if any(grant.member in grants.STRANGERS for grant in found):
        yield f"strangers may call {full}", UP


def _push(deployment: Deployment) -> Iterator[tuple[str, str]]:
    full, url = deployment.full(NOTIFIER), deployment.url(NOTIFIER)
    found = deployment.state.subscriptions.get(full)
    if found is None:
        yield f"the subscription {full} is missing: webhooks get no notices", UP
    elif (found.audience, found.account, found.endpoint) != (url, deployment.email("push"), url):
        yield f"wrong audience, account or endpoint: {full} pushes notices that {deployment.short(NOTIFIER)} refuses", UP
