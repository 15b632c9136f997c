"""The secrets of webhooks on this computer: made once, where Secret Manager has them in the cloud."""

import base64
import os
import secrets
from pathlib import Path

from shared.routes import Routes


def folder(data: Path) -> Path:
    """The folder of the secrets in the stack's data folder."""
    return data / "secrets"


def make(data: Path, routes: Routes) -> None:
    """Make the missing ones, each in a file that only this user reads."""
    for webhook in routes.webhooks.values():
        kind, _, name = webhook.secret.partition(":")
        path = folder(data) / name / "value"
        if kind == "secret-manager" and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}\n")
