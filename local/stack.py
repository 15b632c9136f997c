"""Sluice on the local cloud: the cloud, its resources, and the functions as child processes with their settings."""

import asyncio
from pathlib import Path

from local import clock, pipeline, resources, services, webhook_secrets
from local.children import Child
from local.environment import service_environment
from local.pipeline import ROOT
from localcloud.address import HOST, Ports
from localcloud.cloud import LocalCloud


class Stack:
    """The local cloud and Sluice's functions on it, started and stopped together."""

    def __init__(
        self,
        data: Path,
        offset: int = 0,
        functions: Path = ROOT / "functions",
        origins: tuple[str, ...] = (),
        sweep_seconds: float = services.SWEEP_SECONDS,
    ) -> None:
        """Check pipeline.toml and claim the data folder. Pages of these origins may use it. Raises `CannotRun`."""
        self._routes = pipeline.load()
        self._functions = functions
        self._origins = origins
        self.ports = Ports(offset)
        self.cloud = LocalCloud(data, self.ports)
        self.data = self.cloud.data
        self.logs = self.data / "logs"
        self._children: list[Child] = []
        self._sweep_seconds = sweep_seconds
        self._clock: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start everything. Raises `PortInUse`, `ChildFailed` with nothing left running."""
        await self.cloud.start()
        try:
            urls = services.urls(self._routes, self.ports)
            await resources.create(self.ports, urls, self._routes, self._origins)
            webhook_secrets.make(self.data, self._routes)
            await self._start_functions()
            self._clock = asyncio.create_task(self._keep_clock())
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop the clock and the functions, then the cloud."""
        if self._clock:
            self._clock.cancel()
            await asyncio.gather(self._clock, return_exceptions=True)
        await asyncio.gather(*(child.stop() for child in self._children))
        await self.cloud.stop()

    async def _keep_clock(self) -> None:
        url, accounts = services.url("sweeper", self.ports), self.cloud.accounts
        await clock.keep(url, lambda: accounts.id_token(accounts.email("clock"), url), self._sweep_seconds)

    async def _start_functions(self) -> None:
        for service in services.services(self._routes):
            name, port = service.function, service.port_at(self.ports)
            child = Child(service.name, port, self.logs / f"{service.name}.log")
            self._children.append(child)
            source = str(self._functions / name / "main.py")
            arguments = ("--target", name, "--source", source, "--host", HOST, "--port", str(port))
            environment = service_environment(service, self._routes, self.ports, self.cloud.accounts, self.data)
            pages = {"SLUICE_ORIGINS": ",".join(self._origins)}
            await child.start("functions_framework", arguments, ROOT, environment | pages)
        for child in self._children:
            await child.listening()
            child.keep()
