"""Custom roles, one for each file in deploy/roles, made once the table grants them. `down` leaves them."""

import json
from collections.abc import Iterator
from pathlib import Path

from deploy import grants
from deploy.deployment import Deployment, fingerprint
from deploy.gcloud import Command
from deploy.kinds import Role

ROLES = Path("deploy/roles")


def custom_roles(deployment: Deployment) -> Iterator[list[Command]]:
    """Every role that has a member. Its description ends with the fingerprint of its definition."""
    granted = {grant.role for resource in grants.resources(deployment) for grant in grants.wanted(deployment, resource)}
    for path in sorted(path for path in ROLES.glob("*.json") if deployment.role(path.stem) in granted):
        text = path.read_text()
        definition = json.loads(text)
        definition["description"] += f" ({fingerprint(text)})"
        file = deployment.write(f"role-{path.name}", json.dumps(definition))
        yield from _changes(deployment, deployment.role(path.stem), definition["description"], file)


def _changes(deployment: Deployment, name: str, description: str, file: str) -> Iterator[list[Command]]:
    found, group = deployment.state.roles.get(name), ["iam", "roles"]
    target = [name.rpartition("/")[2], f"--project={deployment.options.project}"]
    revive = [[*group, "undelete", *target]] if found and found.deleted else []
    verb = "update" if found else "create"
    if found != Role(description):
        yield [*revive, [*group, verb, *target, f"--file={file}"]]
