"""The local cloud and each service as a process of its own, killed and started again one by one.

`make up` starts the services from the process of the local cloud, so that they end with it. Here each one survives all others.
"""

import asyncio
import os
import signal
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from local import pipeline, resources, services, webhook_secrets
from local.environment import client_environment, service_environment
from localcloud.accounts import Accounts
from localcloud.address import HOST, PROJECT, Ports
from localcloud.cli import child
from localcloud.cli.clients import environment as cloud_environment
from localcloud.clock import SystemClock
from tests.eventually import eventually
from tests.machine import ROOT, variables
from tests.ports import is_listening

CLOUD = "local cloud"
START_SECONDS = 60


class Component:
    """A process with its workers, started with the same command each time."""

    def __init__(self, name: str, port: int, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._port = port
        self._command = command
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=dict(self._environment),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def is_up(self) -> bool:
        """Whether it serves."""
        return is_listening(self._port)

    def has_ended(self) -> bool:
        """Whether its process ended, by itself."""
        return self._process is not None and self._process.poll() is not None

    def kill(self) -> None:
        """`kill -9` of the process and its workers."""
        assert self._process is not None
        assert self._process.stdin is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process.stdin.close()
        eventually(lambda: not is_listening(self._port), f"the end of the workers of {self.name}")


class Fleet:
    """All components, with their data in a folder; its `pipeline.toml` is theirs."""

    def __init__(self, data: Path, offset: int, sweep_after_seconds: int) -> None:
        self.data = data
        self.ports = Ports(offset)
        self.logs = data / "logs"
        self.kills: Counter[str] = Counter()
        #: those that ended by themselves
        self.ended: Counter[str] = Counter()
        self.pipeline = data / "pipeline.toml"
        self.components: dict[str, Component] = {}
        temporary = data / "temporary"
        for folder in (self.logs, temporary):
            folder.mkdir(parents=True, exist_ok=True)
        #: of whatever reads the settings of the stack in this process
        self.variables = {
            "SLUICE_PIPELINE": str(self.pipeline),
            "SLUICE_SWEEP_AFTER_SECONDS": str(sweep_after_seconds),
            "TMPDIR": str(temporary),  # killed processes leave their files
        }

    def start(self) -> None:
        """Start the local cloud, make the resources, then start the services; return when all of them serve."""
        cloud = self.data / "cloud"
        with variables(self.variables):
            place = ("--data", str(cloud), "--port-offset", str(self.ports.offset))
            self._add(CLOUD, self.ports.tasks, child.command("localcloud", "up", *place), os.environ)
            self.wait()
            routes = pipeline.load()
            self.accounts = Accounts(cloud / "keys", PROJECT, f"http://{HOST}:{self.ports.tasks}", SystemClock())
            self.environment = cloud_environment(cloud, self.ports) | client_environment(cloud, self.ports)
            asyncio.run(resources.create(self.ports, services.urls(routes, self.ports), routes))
            webhook_secrets.make(cloud, routes)
            for service in services.services(routes):
                port = service.port_at(self.ports)
                source = str(ROOT / "functions" / service.function / "main.py")
                arguments = ("--target", service.function, "--source", source, "--host", HOST, "--port", str(port))
                environment = service_environment(service, routes, self.ports, self.accounts, cloud)
                self._add(service.name, port, child.command("functions_framework", *arguments), environment)
        self.wait()

    def wait(self, *names: str) -> None:
        """Return when these components serve; without names, all of them."""
        for name in names or tuple(self.components):
            eventually(partial(self._is_up, name), f"{name}; its log is in {self.logs}", seconds=START_SECONDS)

    def kill(self, name: str) -> None:
        """Kill a component, and start it again at once."""
        self.kills[name] += 1
        self._restart(name)

    def url(self, function: str) -> str:
        """Base URL of a function."""
        return services.url(function, self.ports)

    def id_token(self, account: str, audience: str) -> str:
        """The token with which Google's services call a function."""
        return self.accounts.id_token(self.accounts.email(account), audience)

    def stop(self) -> None:
        for component in self.components.values():
            component.kill()

    def _is_up(self, name: str) -> bool:
        """Whether it serves. One that ended by itself is started again, as Cloud Run does."""
        if self.components[name].has_ended():
            self.ended[name] += 1
            self._restart(name)
        return self.components[name].is_up()

    def _restart(self, name: str) -> None:
        self.components[name].kill()
        self.components[name].start()

    def _add(self, name: str, port: int, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.components[name] = Component(name, port, command, environment, self.logs / f"{name}.log")
        self.components[name].start()
