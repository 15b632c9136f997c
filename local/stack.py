"""Sluice on the local cloud: the cloud, its resources, and the functions as child processes with their settings."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from local import pipeline, resources, services
from local.children import Child
from local.pipeline import ROOT
from local.services import Service
from localcloud.accounts import Accounts
from localcloud.address import HOST, LOCATION, PROJECT, Ports
from localcloud.cli import clients
from localcloud.cloud import LocalCloud
from shared.routes import Routes

DATA = ROOT / ".local"
#: Function → the accounts that sign its URLs.
_SIGNERS = {"issuer": ["signer"], "status": ["reader"], "console": ["signer", "reader"]}
#: The variables a function inherits besides SLUICE_*. Credentials and proxies stay out, as in a container.
_INHERITED = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "THREADS")


class Stack:
    """The local cloud and Sluice's functions on it, started and stopped together."""

    def __init__(self, data: Path, offset: int = 0, functions: Path = ROOT / "functions") -> None:
        """Check pipeline.toml and claim the data folder. Raises `CannotRun`."""
        self._routes = pipeline.load()
        self._functions = functions
        self.ports = Ports(offset)
        self.cloud = LocalCloud(data, self.ports)
        self.data = self.cloud.data
        self.logs = self.data / "logs"
        self._children: list[Child] = []

    async def start(self) -> None:
        """Start everything. Raises `PortInUse`, `ChildFailed` with nothing left running."""
        await self.cloud.start()
        try:
            urls = services.urls(self._routes.pools.values(), self.ports)
            await resources.create(self.ports, urls, self._routes)
            await self._start_functions()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop the functions, then the cloud."""
        await asyncio.gather(*(child.stop() for child in self._children))
        await self.cloud.stop()

    async def _start_functions(self) -> None:
        for service in services.services(self._routes.pools.values()):
            name, port = service.function, service.port_at(self.ports)
            child = Child(service.name, port, self.logs / f"{service.name}.log")
            self._children.append(child)
            source = str(self._functions / name / "main.py")
            arguments = ("--target", name, "--source", source, "--host", HOST, "--port", str(port))
            environment = service_environment(service, self._routes, self.ports, self.cloud.accounts)
            await child.start("functions_framework", arguments, ROOT, environment)
        for child in self._children:
            await child.listening()
            child.keep()


def client_environment(data: Path, ports: Ports) -> dict[str, str]:
    """The variables of a shell that uses the stack: Google's clients pointed here, and the functions' URLs.

    Raises `CannotRun` for a mistake in pipeline.toml.
    """
    return clients.environment(data, ports) | services.urls(pipeline.load().pools.values(), ports) | _settings(ports)


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
        "SLUICE_PIPELINE": str(pipeline.path().resolve()),
        "SLUICE_TASKS_ACCOUNT": f"tasks@{PROJECT}.iam.gserviceaccount.com",
        "SLUICE_STORAGE_ORIGIN": f"http://{HOST}:{ports.storage}",
        "SLUICE_TASKS_ENDPOINT": f"http://{HOST}:{ports.tasks}",
    }


def service_environment(service: Service, routes: Routes, ports: Ports, accounts: Accounts) -> dict[str, str]:
    """A service's variables: those that deploy.sh sets, pointing here."""
    inherited = {name: value for name, value in os.environ.items() if name in _INHERITED or name.startswith("SLUICE_")}
    return {
        **inherited,
        **services.urls(routes.pools.values(), ports),
        **_signers(service.function, accounts),
        **_settings(ports),
        "PYTHONPATH": str(ROOT),
        "SLUICE_PUSH_ACCOUNT": accounts.email("push"),
        "SLUICE_CONSOLE_ACCESS": "loopback",
        "SLUICE_TOKEN_ISSUER": accounts.issuer,
        "SLUICE_TOKEN_CERTIFICATES": f"http://{HOST}:{ports.tasks}/oauth2/v1/certs",
        **service.variables,
    }


def _signers(function: str, accounts: Accounts) -> Mapping[str, str]:
    variables = {}
    for account in _SIGNERS.get(function, []):
        variables[f"SLUICE_{account.upper()}"] = accounts.email(account)
        variables[f"SLUICE_{account.upper()}_KEY"] = str(accounts.key_file(account))
    return variables
