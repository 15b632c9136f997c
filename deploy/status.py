"""`status`: print what is deployed, and whether `up` would change anything."""

from deploy import capacity, drift, kept, left, scheduler
from deploy.deployment import PROXIES, Deployment
from deploy.everything import everything
from deploy.gcloud import shown
from deploy.running import Runner


def status(deployment: Deployment) -> None:
    """Print the page. The file `plan` in the deployment's folder then holds the commands that `up` would run."""
    options, state = deployment.options, deployment.state
    print(f"Project {options.project} ({state.project_number}), {options.region}, prefix {options.prefix}")
    kept.announce(deployment)
    print("\nServices")
    for name in deployment.listing.services:
        print(f"  {deployment.short(name):30} {service_state(deployment, name):9} {deployment.url(name)}")
    print(f"\n{console(deployment)}")
    print("\nQueues")
    for name in deployment.every_queue:
        print(f"  {deployment.full(name):30} {_queue(deployment, name)}")
    for name in left.queues(deployment):
        print(f"  {deployment.full(name):30} {_queue(deployment, name)}, not in pipeline.toml; {left.tasks(deployment, name)}")
    if deployment.webhooks:
        print("\nWebhooks")
    for webhook in deployment.webhooks.values():
        print(f"  {webhook.name:30} {webhook.shown}")
    print(f"\nSchedule\n  {deployment.full(scheduler.NAME):30} {scheduler.described(deployment)}")
    print("\nTopics, subscriptions, buckets")
    differing = {(it.kind, it.full): it.words for it in drift.drifts(deployment)}
    for name, kind, there in _presences(deployment):
        differs = f", differs: {differing[kind, name]}" if (kind, name) in differing else ""
        print(f"  {'gs://' * (kind == 'bucket') + name:40} {kind + differs if there else 'missing'}")
    for sentence in drift.of_notification(deployment):
        print(f"  {sentence}")
    print(f"\nSize: {capacity.note(deployment.listing)}")
    extras = options.extras or "none"
    print(f"\nImage of these sources (extras: {extras}): {deployment.tag}, {'built' if state.digest else 'not built'}")
    count = _planned(deployment)
    print(f"\nup would run {count} commands; plan shows them." if count else "\nup would change nothing.")


def console(deployment: Deployment) -> str:
    """The line that leads to the console: its address, or the command that makes one on this computer."""
    if deployment.is_behind_iap:
        return f"Console: {deployment.url('console')}"
    where = [deployment.in_region, f"--project={deployment.options.project}"]
    return f"Console: {PROXIES[0]}, once this runs: {shown(['run', 'services', 'proxy', deployment.short('console'), *where])}"


def service_state(deployment: Deployment, name: str) -> str:
    """`missing`, `ready` or `not ready`."""
    found = deployment.state.services.get(deployment.short(name))
    if found is None:
        return "missing"
    return "ready" if found.ready else "not ready"


def _queue(deployment: Deployment, name: str) -> str:
    found = deployment.state.queues.get(deployment.full(name))
    by = ", by an operator" if name in deployment.held and name in deployment.queues else ""
    return f"{found.state:9} {found.rate:g} a second, {found.at_once:g} at once{by}" if found else "missing"


def _presences(deployment: Deployment) -> list[tuple[str, str, bool]]:
    listing, state = deployment.listing, deployment.state
    rows = [(name, "topic", name in state.topics) for name in map(deployment.full, listing.topics)]
    rows += [(name, "subscription", name in state.subscriptions) for name in map(deployment.full, listing.subscriptions)]
    return rows + [(name, "bucket", name in state.buckets) for name in map(deployment.bucket, listing.buckets)]


def _planned(deployment: Deployment) -> int:
    with (deployment.folder / "plan").open("w") as file:
        runner = Runner(None, file)
        everything(deployment, runner)
    return runner.count
