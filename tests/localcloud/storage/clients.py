"""Google's command-line programs, run against the whole local cloud."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from tests.eventually import eventually
from tests.localcloud.storage.world import World
from tests.machine import Machine

MEGABYTE = 1 << 20


class Clients:
    """Runs gsutil, gcloud and curl with one configuration, and inspects the results."""

    def __init__(self, machine: Machine, folder: Path, environment: Mapping[str, str]) -> None:
        self.machine = machine
        self.folder = folder
        self.environment = environment
        self.url = self.environment["STORAGE_EMULATOR_HOST"]
        self.http = requests.Session()

    def run(self, *command: str) -> str:
        """The output of a program; an exit status other than 0 fails the test."""
        done = self._done(command)
        assert done.returncode == 0, f"{command}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def refused(self, *command: str) -> str:
        """The output of a program that must fail without a traceback."""
        done = self._done(command)
        assert done.returncode != 0, f"{command}: {done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def gsutil(self, *arguments: str) -> str:
        """`gsutil …`"""
        return self.run("gsutil", *arguments)

    def gcloud(self, *arguments: str) -> str:
        """`gcloud storage …`"""
        return self.run("gcloud", "storage", *arguments)

    def kill_while_uploading(self, *command: str) -> None:
        """Run a program and kill it, with all its children, once four megabytes have arrived."""
        known = set(self._contents())
        # Preloaded programs run in a process that is not our child.
        installed = self.machine.environment
        with subprocess.Popen(command, env=installed, cwd=self.folder, start_new_session=True, stderr=-3) as process:
            eventually(
                lambda: any(path.stat().st_size > 4 * MEGABYTE for path in set(self._contents()) - known), pause_seconds=0.005
            )
            os.killpg(process.pid, signal.SIGKILL)

    def file(self, name: str, data: bytes = b"", size: int = 0) -> Path:
        """A file to upload; `size` in bytes makes a sparse file of zeros."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(data)
            if size:
                file.truncate(size)
        return path

    def bucket(self, name: str, **fields: Any) -> str:
        """A new bucket, made over HTTP."""
        self.http.post(f"{self.url}/storage/v1/b?project=local-project", json={"name": name, **fields}).raise_for_status()
        return name

    def put(self, bucket: str, name: str, data: bytes) -> None:
        """Upload an object over HTTP."""
        url = f"{self.url}/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}"
        self.http.post(url, data=data, headers={"Content-Type": "text/plain"}).raise_for_status()

    def shown(self, path: str) -> dict[str, Any]:
        """A resource of the JSON API: `b/B/o/O`."""
        reply = self.http.get(f"{self.url}/storage/v1/{path}")
        found: dict[str, Any] = json.loads(reply.text)
        return found

    def names(self, bucket: str) -> list[str]:
        """The names of all objects of a bucket."""
        return [item["name"] for item in self.shown(f"b/{bucket}/o").get("items", [])]

    def _done(self, command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, errors="replace", timeout=60
        )

    def _contents(self) -> list[Path]:
        return list((self.machine.data / "storage" / "contents").glob("??/*"))


def python_client(world: World) -> Client:
    """A google-cloud-storage client of the service."""
    return Client("local-project", AnonymousCredentials(), client_options={"api_endpoint": world.url})


def together(*chains: Callable[[], Any]) -> None:
    """Run independent chains of steps in parallel: most of a program's time is its start."""
    with ThreadPoolExecutor(len(chains)) as pool:
        for done in [pool.submit(chain) for chain in chains]:
            done.result()
