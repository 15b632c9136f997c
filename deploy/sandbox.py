"""Whether the hosts of each pool enforce the whole sandbox: its services log that when they start."""

from collections.abc import Iterator

from deploy.deployment import Deployment
from deploy.gcloud import Command
from deploy.kinds import ENVIRONMENT

#: The sentences that `Sandbox.announce` logs.
COMPLETE, WEAKER = "the sandbox is complete", "the sandbox is weaker on this host"
#: The `_Default` log bucket keeps lines for so long.
KEPT_DAYS = 30
REMEDY = f"./deploy.sh up, which sets the execution environment {ENVIRONMENT}; docs/sandbox.md has what each host enforces"


def newest_line(deployment: Deployment, name: str) -> Command:
    """The command that reads the newest of these lines of a pool's service."""
    ours = f'resource.type="cloud_run_revision" AND resource.labels.service_name="{deployment.short(name)}"'
    either = " OR ".join(f'jsonPayload.message="{sentence}"' for sentence in (COMPLETE, WEAKER))
    return ["logging", "read", f"{ours} AND ({either})", "--limit=1", f"--freshness={KEPT_DAYS}d"]


def notes(deployment: Deployment) -> Iterator[str]:
    """A sentence about each pool whose sandbox is complete, or not started yet."""
    for name, line in deployment.state.sandbox_lines.items():
        if line.message == COMPLETE:
            yield f"{deployment.short(name)}: {COMPLETE} (logged {line.time})"
        elif not line.message:
            yield f"{deployment.short(name)}: not started yet, or not in the last {KEPT_DAYS} days: its sandbox is unknown"


def weaker(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """For each pool whose sandbox is weaker, a sentence with the missing parts, and the remedy."""
    for name, line in deployment.state.sandbox_lines.items():
        if line.message == WEAKER:
            what = f"the sandbox of {deployment.short(name)} is weaker: its host lacks {line.missing} (logged {line.time})"
            yield what, REMEDY
