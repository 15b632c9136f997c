"""`env`: print the settings of a deployment as lines for a shell, for the operators' command line."""

import shlex

from deploy import gcloud
from deploy.answers import text
from deploy.deployment import Deployment
from deploy.services import settings

#: The pipeline.toml of the local stack.
PIPELINE = "SLUICE_PIPELINE"
_TOKENS = "SLUICE_TOKEN_ISSUER SLUICE_TOKEN_CERTIFICATES"
#: Variables that point a shell to the local cloud.
LOCAL = f"STORAGE_EMULATOR_HOST PUBSUB_EMULATOR_HOST SLUICE_TASKS_ENDPOINT {_TOKENS} {PIPELINE}"


def env(deployment: Deployment) -> None:
    """Print export lines. Nothing is looked up but the project's number, which is part of the services' URLs."""
    found = gcloud.read({"project": ["projects", "describe", deployment.options.project]})
    deployment.state.project_number = text(found["project"], "projectNumber")
    print(f"unset {LOCAL}")
    for name, value in {**settings(deployment), "SLUICE_CONSOLE_URL": deployment.url("console")}.items():
        print(f"export {name}={shlex.quote(value)}")
