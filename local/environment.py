"""The variables by which shells and services find the stack."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from local import pipeline, services, webhook_secrets
from local.pipeline import ROOT
from local.services import Service
from localcloud.address import HOST, LOCATION, PROJECT, Ports
from localcloud.cli import clients
from shared.routes import Routes

if TYPE_CHECKING:
    from localcloud.accounts import Accounts

DATA = ROOT / ".local"
#: Function → the accounts that sign its URLs.
_SIGNERS = {"issuer": ["signer"], "status": ["reader"], "console": ["signer", "reader"]}
#: The functions that take idempotency keys.
_TAKE_KEYS = ("upload", "issuer")
#: Settings that services and the operators' command line read, and that the shell of `make up` may choose.
CHOSEN = ("SLUICE_MAX_FILE_BYTES", "SLUICE_SWEEP_AFTER_SECONDS", "SLUICE_GUARD_FILES_PER_DAY", "SLUICE_GUARD_RUNS_PER_OBJECT")
#: The variables a function inherits besides SLUICE_*. Credentials and proxies stay out, as in a container.
_INHERITED = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "THREADS")


def client_environment(data: Path, ports: Ports) -> dict[str, str]:
    """The variables of a shell that uses the stack: Google's clients pointed here, and the functions' URLs.

    Raises `CannotRun` for a mistake in pipeline.toml.
    """
    return clients.environment(data, ports) | services.urls(pipeline.load(), ports) | _settings(ports)


def _settings(ports: Ports) -> dict[str, str]:
    """The settings that all functions share, and the operators' command line with them."""
    return {
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "STORAGE_EMULATOR_HOST": f"http://{HOST}:{ports.storage}",
        "PUBSUB_EMULATOR_HOST": f"{HOST}:{ports.pubsub_grpc}",
        # Without it google-cloud-storage asks for the bucket's metadata after each 404.
        "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA": "true",
        "SLUICE_LOCATION": LOCATION,
        "SLUICE_UPLOADS_BUCKET": "uploads",
        "SLUICE_RESULTS_BUCKET": "results",
        # A shell may have the names of a deployment, from `deploy.sh env`.
        "SLUICE_UPLOADS_TOPIC": "uploads",
        "SLUICE_COMPLETIONS_TOPIC": "completions",
        "SLUICE_DEAD_LETTERS_TOPIC": "dead-letters",
        "SLUICE_QUEUE_PREFIX": "",
        "SLUICE_QUEUE_AUTH": "task",
        "SLUICE_PIPELINE": str(pipeline.path().resolve()),
        "SLUICE_SWEEP_AFTER_SECONDS": str(services.SWEEP_AFTER_SECONDS),
        **chosen(),
        "SLUICE_TASKS_ACCOUNT": f"tasks@{PROJECT}.iam.gserviceaccount.com",
        "SLUICE_STORAGE_ORIGIN": f"http://{HOST}:{ports.storage}",
        "SLUICE_TASKS_ENDPOINT": f"http://{HOST}:{ports.tasks}",
        # Subscribers that receive pushes verify their tokens by these, as the services do.
        "SLUICE_TOKEN_ISSUER": f"http://{HOST}:{ports.tasks}",
        "SLUICE_TOKEN_CERTIFICATES": f"http://{HOST}:{ports.tasks}/oauth2/v1/certs",
    }


def chosen() -> dict[str, str]:
    """The settings that this shell chooses."""
    return {name: os.environ[name] for name in CHOSEN if name in os.environ}


def service_environment(service: Service, routes: Routes, ports: Ports, accounts: "Accounts", data: Path) -> dict[str, str]:
    """A service's variables: those that deploy.sh sets, pointing here. `data` is the stack's folder."""
    inherited = {name: value for name, value in os.environ.items() if name in _INHERITED or name.startswith("SLUICE_")}
    return {
        **inherited,
        **services.urls(routes, ports),
        **_signers(service.function, accounts),
        **_keys(service.function, accounts.folder),
        **_settings(ports),
        "PYTHONPATH": str(ROOT),
        "FORWARDED_ALLOW_IPS": "",  # as in the Dockerfile: everybody here connects from 127.0.0.1
        "SLUICE_PUSH_ACCOUNT": accounts.email("push"),
        "SLUICE_CLOCK_ACCOUNT": accounts.email("clock"),
        "SLUICE_CONSOLE_ACCESS": "loopback",
        "SLUICE_WEBHOOK_SECRETS": str(webhook_secrets.folder(data)),
        "SLUICE_WEBHOOK_LOOPBACK": "1",
        **service.variables,
    }


def _signers(function: str, accounts: "Accounts") -> Mapping[str, str]:
    variables = {}
    for account in _SIGNERS.get(function, []):
        variables[f"SLUICE_{account.upper()}"] = accounts.email(account)
        variables[f"SLUICE_{account.upper()}_KEY"] = str(accounts.key_file(account))
    return variables


def _keys(function: str, folder: Path) -> Mapping[str, str]:
    """The secret that idempotency keys are mixed with, made once: a repeat after a restart finds the first object."""
    if function not in _TAKE_KEYS:
        return {}
    path = folder / "key-secret"
    if not path.exists():
        new = path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(secrets.token_hex(32))
        new.replace(path)
    return {"SLUICE_KEY_SECRET": path.read_text()}
