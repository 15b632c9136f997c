"""Secrets: those that `up` makes, of random bytes, and those of webhooks, whose values only the operator has.

A secret of ours is made once. No command line, rendered file or output has its value, and `up` never reads it.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.deployment import Deployment
from deploy.gcloud import Command
from deploy.kinds import Version
from deploy.running import Runner

#: Random bytes of a secret of ours.
RANDOM_BYTES = 32


def secret(deployment: Deployment, runner: Runner, name: str) -> None:
    """A labelled secret with a version that can be read: where all were disabled, a new one is added."""
    full = deployment.full(name)
    found = deployment.state.secrets.get(full)
    if found is not None and (label := deployment.relabel(deployment.state.secret_labels.get(full, ""))):
        runner.start([["secrets", "update", full, *label]])
    if found is not None and newest(found):
        return
    with _random(deployment.folder / f"secret-{name}") as path:
        group, data = ["secrets"], f"--data-file={path}"
        where = ["--replication-policy=user-managed", f"--locations={deployment.options.region}"]
        create: Command = [*group, "create", full, *where, f"--labels={deployment.label}", data]
        runner.start([create if found is None else [*group, "versions", "add", full, data]])
        runner.wait()


def version(deployment: Deployment, name: str) -> str:
    """The number of the version of a secret of ours that services take: the newest, or the one that `up` adds."""
    found = deployment.state.secrets.get(deployment.full(name), ())
    return str(newest(found) or 1 + max((it.number for it in found), default=0))


def newest(versions: tuple[Version, ...]) -> int:
    """The number of the newest version that can be read; 0 without one."""
    return max((it.number for it in versions if it.is_enabled), default=0)


@contextmanager
def _random(path: Path) -> Iterator[Path]:
    """A file of random bytes in hexadecimal digits, which only its owner may read; deleted at the end."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(secrets.token_hex(RANDOM_BYTES))
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def readings(deployment: Deployment) -> dict[str, Command]:
    """A list of the versions of each secret of ours or of a webhook that exists."""
    names = [*map(deployment.full, deployment.listing.secrets), *deployment.webhook_secrets]
    return {name: ["secrets", "versions", "list", name] for name in names if name in deployment.state.secrets}
