"""A stack under load: what it does while clients send, until every file has ended."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psutil
import requests
from google.cloud.storage import Client

from benchmarks.bare import Bare
from benchmarks.loads import doors
from benchmarks.loads.judging import Look, Rate
from benchmarks.processes import cpu_seconds
from benchmarks.subscriber import JobNotices
from local import services
from local.processes import Watch
from localcloud.address import LOCATION, PROJECT, Ports
from localcloud.calls import CALLS_PATH
from localcloud.control import ask
from shared import index
from shared.routes import Routes
from tests.machine import ROOT, Machine

#: The queue that is paused while files are sent: then its rate is what its tasks wait for, also on a slow machine.
PAUSED = "tables"
#: Senders for each door.
SENDERS = 4
#: Of the files whose CPU time is measured; and the repeats of the bare processing beside each block.
BLOCKS, BARE_FILES = 10, 200
LOOK_SECONDS = 1.0
#: The files that have not ended when no notice has come for so long are lost.
STILL_SECONDS = 120

Took = Mapping[str, list[float]]


class LoadedStack:
    """Sends files and looks on. `names` are the objects that the doors accepted."""

    def __init__(self, machine: Machine, notices: JobNotices, routes: Routes) -> None:
        self._machine, self._notices, self._routes = machine, notices, routes
        ports = Ports(machine.offset)
        self._watch = Watch({one.port_at(ports): one.name for one in services.services(routes)})
        self.names: list[str] = []

    def send(self, prefix: str, files: int, *, senders: int = SENDERS, pause_seconds: float = 0) -> Took:
        """The milliseconds of each door's answers, once all files have ended."""
        return self.load(prefix, files, senders=senders, pause_seconds=pause_seconds)[1]

    def load(
        self, prefix: str, files: int, *, senders: int = SENDERS, pause_seconds: float = 0, watchers: int = doors.WATCHERS
    ) -> tuple[list[Look], Took]:
        """Send, and look on until all files have ended; the looks, and the milliseconds of each door's answers."""
        looks = [self._look()]
        arguments = map(str, (prefix, files, senders, pause_seconds, watchers))
        command = [sys.executable, "-m", "benchmarks.loads.doors", *arguments]
        with tempfile.TemporaryFile("w+") as out, self._paused():
            with subprocess.Popen(command, cwd=ROOT, env=self._machine.environment, stdout=out) as client:
                while client.poll() is None:
                    looks.append(self._look())
            if client.returncode:
                raise SystemExit(f"a door refused a file; the client ended with status {client.returncode}")
            out.seek(0)
            sent = json.load(out)
        self.names += sent["names"]
        return looks + list(self._until_all_have_ended()), sent["took_ms"]

    def cpu(self, prefix: str, files: int) -> dict[str, float]:
        """CPU time of each component for a file, in that of a picture's bare processing: medians over blocks."""
        bare, blocks = Bare(doors.picture()), []
        for number in range(BLOCKS):
            alone, before = bare.cpu_ms(BARE_FILES), cpu_seconds(self._machine.pid)
            self.load(f"{prefix}-{number}", files // BLOCKS, watchers=0)
            spent = cpu_seconds(self._machine.pid)
            blocks.append({name: (spent[name] - before[name]) * 1000 / (files // BLOCKS) / alone for name in spent})
        return {name: statistics.median(block[name] for block in blocks) for name in blocks[0]}

    def limits(self) -> dict[str, Rate]:
        """The rates of the queues, as Cloud Tasks has them."""
        found = {name: requests.get(self._queue(name), timeout=10).json()["rateLimits"] for name in self._routes.queues}
        return {name: Rate(one["maxDispatchesPerSecond"], one["maxBurstSize"]) for name, one in found.items()}

    def entries(self) -> Iterator[tuple[str, str]]:
        """The verdict and the file's id of each index entry."""
        results = Client(project=PROJECT).bucket("results")
        for verdict in index.VERDICTS:
            for blob in results.list_blobs(prefix=index.folder(verdict)):
                yield verdict, index.job_of(blob.name).partition("-")[0]

    @contextmanager
    def _paused(self) -> Iterator[None]:
        requests.post(f"{self._queue(PAUSED)}:pause", json={}, timeout=10).raise_for_status()
        yield
        requests.post(f"{self._queue(PAUSED)}:resume", json={}, timeout=10).raise_for_status()

    def _queue(self, name: str) -> str:
        endpoint = self._machine.environment["SLUICE_TASKS_ENDPOINT"]
        return f"{endpoint}/v2/projects/{PROJECT}/locations/{LOCATION}/queues/{name}"

    def _until_all_have_ended(self) -> Iterator[Look]:
        ended, since = -1, time.monotonic()
        while self._notices.ended < len(self.names) and time.monotonic() - since < STILL_SECONDS:
            look = self._look()
            if look.ended > ended:
                ended, since = look.ended, time.monotonic()
            yield look
        yield self._look()

    def _look(self) -> Look:
        """The counts of this moment, after a pause."""
        time.sleep(LOOK_SECONDS)
        before = time.monotonic()
        calls: list[dict[str, Any]] = ask("GET", CALLS_PATH, argparse.Namespace(port_offset=self._machine.offset))
        after = time.monotonic()
        dispatches = {one["place"].rpartition("/")[2]: one["calls"] for one in calls if one["operation"] == "dispatch"}
        return Look(before, after, self._notices.ended, dispatches, self._memory())

    def _memory(self) -> dict[str, int]:
        """Resident bytes of the local cloud and of each service, without the children in which steps run."""
        found = {"cloud": psutil.Process(self._machine.pid).memory_info().rss}
        for process, size in self._watch.look().items():
            found[process.service] = found.get(process.service, 0) + size
        return found
