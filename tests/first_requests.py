"""The first request of each function: a cheap one that succeeds and uses every client of the function.

The cloud behind it is `python -m localcloud up`; the caller starts the function itself.
"""

import base64
import contextlib
import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from google.cloud.storage import Blob, Client

from local.services import processors, urls
from localcloud.accounts import Accounts
from localcloud.address import PROJECT, Ports
from localcloud.clock import SystemClock
from shared import routes
from shared.model import File, Run
from shared.plan import Task
from shared.settings import ROOT
from tests.eventually import eventually
from tests.machine import Machine, variables

START_SECONDS = 60
#: Short compared with a cold start, which it measures.
POLL_SECONDS = 0.002
TEXT = b"a few words\n"
NOTIFIER_URL = "http://notifier.test"
SWEEPER_URL = "http://sweeper.test"


@dataclass(frozen=True, slots=True)
class FirstRequest:
    """A request, and the status that means success."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def send(self, url: str) -> int:
        """Send the request and return the status of the answer. Raises `OSError` while the port is closed."""
        request = urllib.request.Request(url + self.path, self.body, dict(self.headers), method=self.method)
        try:
            with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:
                answer.read()
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code


class Customer:
    """Makes first requests against the cloud of a machine, each about a new file."""

    def __init__(self, machine: Machine) -> None:
        ports = Ports(machine.offset)
        issuer = f"http://127.0.0.1:{ports.tasks}"
        self._accounts = Accounts(machine.data / "keys", PROJECT, issuer, SystemClock())
        self._accounts.certificates()  # now, because the cloud uses the keys that exist and makes missing ones
        self._pipeline = routes.load(ROOT / "pipeline.toml")
        self._urls = urls(self._pipeline, ports)
        self._processor_url = processors(self._pipeline.pools.values())["default"].url(ports)
        self._files = 0
        with variables(machine.environment):
            self._bucket = Client(project=PROJECT).bucket("uploads")
        self._settings = {
            "SLUICE_UPLOADS_BUCKET": "uploads",
            "SLUICE_RESULTS_BUCKET": "results",
            "SLUICE_PUSH_ACCOUNT": self._accounts.email("push"),
            "SLUICE_TASKS_ACCOUNT": self._accounts.email("tasks"),
            "SLUICE_SIGNER": self._accounts.email("signer"),
            "SLUICE_SIGNER_KEY": str(self._accounts.key_file("signer")),
            "SLUICE_READER": self._accounts.email("reader"),
            "SLUICE_READER_KEY": str(self._accounts.key_file("reader")),
            "SLUICE_NOTIFIER_URL": NOTIFIER_URL,
            "SLUICE_SWEEPER_URL": SWEEPER_URL,
            "SLUICE_CLOCK_ACCOUNT": self._accounts.email("clock"),
            "SLUICE_KEY_SECRET": "0123456789abcdef" * 2,
            "SLUICE_CONSOLE_ACCESS": "loopback",
            "SLUICE_TASKS_ENDPOINT": issuer,
            "SLUICE_TOKEN_ISSUER": issuer,
            "SLUICE_TOKEN_CERTIFICATES": f"{issuer}/oauth2/v1/certs",
        }
        clients = ("GOOGLE_CLOUD_PROJECT", "STORAGE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST")
        self.environment = {name: machine.environment[name] for name in clients} | self._urls | self._settings

    def of(self, function: str) -> FirstRequest:
        """A new request for this function."""
        made: Callable[[], FirstRequest] = getattr(self, f"_{function}")
        return made()

    def _upload(self) -> FirstRequest:
        return FirstRequest("PUT", "/words.txt", 202, {"content-type": "text/plain"}, TEXT)

    def _issuer(self) -> FirstRequest:
        return FirstRequest("GET", "/?name=words.txt&content_type=text/plain", 200)

    def _dispatcher(self) -> FirstRequest:
        file = self._file()
        payload = {"size": str(file.size), "contentType": file.content_type, "crc32c": file.crc32c}
        event = {"eventType": "OBJECT_FINALIZE", "payloadFormat": "JSON_API_V1", "bucketId": file.bucket}
        message = {
            "data": base64.b64encode(json.dumps(payload).encode()).decode(),
            "attributes": event | {"objectId": file.name, "objectGeneration": str(file.generation)},
            "messageId": "1",
            "publishTime": "2026-01-01T00:00:00Z",
        }
        body = json.dumps({"message": message, "subscription": f"projects/{PROJECT}/subscriptions/dispatcher"})
        headers = self._called_by("push", self._urls["SLUICE_DISPATCHER_URL"])
        return FirstRequest("POST", f"/projects/{PROJECT}/topics/uploads", 200, headers, body.encode())

    def _processor(self) -> FirstRequest:
        file = self._file()
        plan = self._pipeline.plan(file)
        task = Task(Run(file), plan, plan.first[0])
        headers = self._called_by("tasks", self._processor_url) | {"x-cloudtasks-taskretrycount": "0"}
        return FirstRequest("POST", "/", 200, headers, json.dumps(task.to_json()).encode())

    def _notifier(self) -> FirstRequest:
        """A push that no webhook wants, as the shipped pipeline.toml has none."""
        attributes = {"ce-type": "sluice.job.finished.v1", "ce-id": "a-1", "verdict": "succeeded"}
        message = {"data": base64.b64encode(b"{}").decode(), "attributes": attributes, "messageId": "1"}
        body = json.dumps({"message": message, "subscription": f"projects/{PROJECT}/subscriptions/notifier"})
        return FirstRequest("POST", "/", 200, self._called_by("push", NOTIFIER_URL), body.encode())

    def _sweeper(self) -> FirstRequest:
        return FirstRequest("POST", "/", 200, self._called_by("clock", SWEEPER_URL))

    def _status(self) -> FirstRequest:
        return FirstRequest("GET", f"/objects/{self._file().name}", 200)

    def _console(self) -> FirstRequest:
        return FirstRequest("GET", "/", 200)

    def _called_by(self, account: str, audience: str) -> dict[str, str]:
        token = self._accounts.id_token(self._accounts.email(account), audience)
        return {"authorization": f"Bearer {token}", "content-type": "application/json"}

    def _file(self) -> File:
        self._files += 1
        blob: Blob = self._bucket.blob(f"words-{self._files}.txt")
        blob.upload_from_string(TEXT, content_type="text/plain")
        return File("uploads", blob.name, int(blob.generation), len(TEXT), "text/plain", blob.crc32c)


@contextlib.contextmanager
def started(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a function's process with only this environment; kill it and its children at the end."""
    with log.open("wb") as words:
        process = subprocess.Popen(
            command, cwd=folder, env=dict(environment), stdout=words, stderr=words, start_new_session=True
        )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answered(process: subprocess.Popen[bytes], url: str, request: FirstRequest) -> int:
    """The status of the first answer. Raises `RuntimeError` when the process ends before it."""

    def look() -> int | None:
        if process.poll() is not None:
            raise RuntimeError(f"no answer at {url}; exit status {process.returncode}")
        with contextlib.suppress(OSError):
            return request.send(url)
        return None

    return eventually(look, seconds=START_SECONDS, pause_seconds=POLL_SECONDS)
