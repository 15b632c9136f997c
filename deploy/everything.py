"""Follow the list in deploy.sh: run the commands of each line. Used by `plan`, `up` and `status`."""

from collections.abc import Callable, Iterator

from deploy import (
    buckets,
    budget,
    grants,
    image,
    kept,
    left,
    pubsub,
    queues,
    roles,
    scheduler,
    secret_manager,
    services,
    watching,
)
from deploy.deployment import Deployment
from deploy.errors import Failed
from deploy.gcloud import Command
from deploy.listing import Line
from deploy.running import Runner

Jobs = Iterator[list[Command]]


def apis(deployment: Deployment, *names: str) -> Jobs:
    """All APIs that are off, in one command."""
    missing = [f"{name}.googleapis.com" for name in names if f"{name}.googleapis.com" not in deployment.state.apis]
    if missing:
        yield [["services", "enable", *missing]]


def accounts(deployment: Deployment, *names: str) -> Jobs:
    """These accounts, and one for each service; one that was disabled is enabled."""
    for name in [*names, *deployment.listing.services]:
        email, group = deployment.email(name), ["iam", "service-accounts"]
        if email not in deployment.state.accounts:
            yield [[*group, "create", deployment.short(name), f"--display-name={deployment.account_title(name)}"]]
        elif deployment.state.accounts[email].disabled:
            yield [[*group, "enable", email]]


def service_agents(deployment: Deployment) -> Jobs:
    """Create Google's service agents: they must exist before they are granted anything."""
    policies = deployment.state.policies
    if deployment.storage_agent not in str(policies.get("topic:uploads")):
        yield [["storage", "service-agent"]]
    if deployment.pubsub_agent not in str(policies.get("topic:dead-letters")):
        yield [["beta", "services", "identity", "create", "--service=pubsub.googleapis.com"]]
    if deployment.scheduler_agent not in str(policies.get("project")):
        yield [["beta", "services", "identity", "create", "--service=cloudscheduler.googleapis.com"]]
    if deployment.is_behind_iap and deployment.iap_agent not in str(policies.get("service:console")):
        yield [["beta", "services", "identity", "create", "--service=iap.googleapis.com"]]


#: These yield jobs. Jobs run side by side, the commands of a job one after the other.
WORDS: dict[str, Callable[..., Jobs]] = {
    "apis": apis,
    "accounts": accounts,
    "bucket": buckets.bucket,
    "kept_options": kept.keep,
    "topics": pubsub.topics,
    "topic": pubsub.topic,
    "repository": image.repository,
    "metrics": watching.metrics,
    "pull_subscriptions": pubsub.pull_subscriptions,
    "push_subscription": pubsub.push_subscription,
    "notices_subscription": pubsub.notices_subscription,
    "retired_subscription": left.retired_subscription,
    "new_queues": queues.new_queues,
    "changed_queues": queues.changed_queues,
    "service_agents": service_agents,
    "custom_roles": roles.custom_roles,
    "grants": grants.grants,
    "service": services.service,
    "pools": services.pools,
    "newest_revisions": services.newest_revisions,
    "resume_queues": queues.resume_queues,
    "schedule": scheduler.schedule,
    "notification": pubsub.notification,
    "revocations": grants.revocations,
    "retired_accounts": left.retired_accounts,
    "alerts": watching.alerts,
    "dashboard": watching.dashboard,
}
#: These need the runner: they wait for jobs, or for the output of a command.
WAITING: dict[str, Callable[..., None]] = {
    "step": lambda _, runner, title: runner.step(title),
    "wait": lambda _, runner: runner.wait(),
    "image": image.image,
    "secret": secret_manager.secret,
    "notification_channel": watching.notification_channel,
    "budget": budget.budget,
}


def everything(deployment: Deployment, runner: Runner) -> None:
    """Every line of the list, in order."""
    for line in deployment.listing.lines:
        _follow(deployment, runner, line)
    runner.wait()


def _follow(deployment: Deployment, runner: Runner, line: Line) -> None:
    if line.word in WAITING:
        WAITING[line.word](deployment, runner, *line.arguments)
    elif line.word in WORDS:
        for job in WORDS[line.word](deployment, *line.arguments):
            runner.start(job)
    else:
        raise Failed(f"deploy.sh: `{line.word}` is no word of the list; deploy/everything.py has them all")
