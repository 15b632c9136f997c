"""The settings of each service, checked before anything changes by the code that reads them at its start."""

import json
import re
import sys
from collections.abc import Iterator

from deploy import services
from deploy.deployment import Deployment
from deploy.errors import Failed
from deploy.gcloud import shown
from deploy.variables import Secret
from shared import outside, settings
from shared.errors import BadConfiguration

#: The option of each variable that one option of deploy.sh sets.
OPTIONS = {it.variable: it.deploy for it in settings.declared().values() if it.deploy.startswith("--")}

#: The variable that --service-secrets sets.
SECRETS = "SLUICE_SERVICE_SECRETS"


def check(deployment: Deployment) -> None:
    """Raise Failed naming every service that would refuse to start, the option, and a right value."""
    refused: dict[str, list[str]] = {}
    for name in deployment.listing.services:
        for fault in _faults(deployment, name):
            refused.setdefault(fault, []).append(deployment.short(name))
    if refused:
        lines = [f"{fault} ({', '.join(names)} would not start)" for fault, names in refused.items()]
        raise Failed("\n".join([*lines, "nothing was changed"]))


def require_secret(deployment: Deployment) -> None:
    """Raise Failed before `up` where the secret of --service-secrets is needed and missing; before `plan`, a note."""
    name, command = deployment.options.service_secrets, deployment.options.command
    having = [one for one in deployment.pools if SECRETS in services.variables(deployment, one, at_once="1")]
    if command not in ("plan", "up") or not having or name in deployment.state.secrets:
        return
    make = shown(["secrets", "create", name, "--data-file=-", f"--project={deployment.options.project}"])
    what = f"--service-secrets: the project has no secret {name}; make one, see docs/services.md:\n  {make}"
    if command == "up":
        raise Failed(f"{what}\nnothing was changed")
    print(f"note: {what}", file=sys.stderr, flush=True)


def _faults(deployment: Deployment, name: str) -> Iterator[str]:
    given = services.variables(deployment, name, at_once="1")
    environment = {variable: _value(deployment, variable, value) for variable, value in given.items()}
    try:
        found = settings.load(environment | {"K_SERVICE": deployment.short(name)})
        if name in deployment.pools:
            outside.check(deployment.routes, found)
    except BadConfiguration as error:
        yield from (re.sub(r"\bSLUICE_[A-Z_]+", _option, line) for line in error.message.split("\n"))


def _value(deployment: Deployment, variable: str, value: str) -> str:
    """The value of a variable; of one in Secret Manager, which is not read here, text that services take."""
    if not isinstance(value, Secret):
        return value
    headers = [step.recipe.options.get("secret_headers") or {} for step in deployment.routes.steps.values()]
    names = {name: "Bearer unread" for each in headers for name in each.values()}
    return json.dumps(names) if variable == SECRETS else "unread".ljust(64, ".")


def _option(found: re.Match[str]) -> str:
    return OPTIONS.get(found[0], found[0])
