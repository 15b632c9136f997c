"""Sluice on the local cloud: what has to exist there, the settings of its functions, and the functions as child processes.

The only file of the local cloud, with `demo.py`, that knows what runs on it.
"""

import os
import tomllib
from pathlib import Path
from typing import Any

import aiohttp

from local.children import Child
from localcloud import clients
from localcloud.address import LOCATION, PROJECT, Ports
from localcloud.cloud import LocalCloud
from localcloud.server import HOST

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = ("upload", "issuer", "dispatcher", "processor", "status")
FIRST_PORT = 8080
NOTIFICATION = f"//pubsub.googleapis.com/projects/{PROJECT}/topics/uploads"

#: All that a function gets of our own environment: no credentials, no proxies, nothing that a container would not have.
_INHERITED = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "THREADS")


class Stack:
    """The local cloud and Sluice's functions on it, started and stopped as one."""

    def __init__(self, data: Path, offset: int = 0, functions: Path = ROOT / "functions") -> None:
        self._functions = functions
        self.data = data.resolve()
        self.data.mkdir(parents=True, exist_ok=True)
        self.logs = self.data / "logs"
        self.ports = Ports(offset)
        self.cloud = LocalCloud(self.data, self.ports)
        self._children: list[Child] = []

    async def start(self, *, with_functions: bool = True) -> None:
        """Bring everything up. Raises `PortInUse`, `ChildFailed`; what had started is stopped again."""
        try:
            await self.cloud.start()
            async with aiohttp.ClientSession(raise_for_status=_refuse) as http:
                await _Resources(http, self.ports).create()
            if with_functions:
                await self._start_functions()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the functions, then the cloud."""
        for child in self._children:
            await child.stop()
        await self.cloud.stop()

    async def _start_functions(self) -> None:
        for name in FUNCTIONS:
            child = Child(name, function_port(name, self.ports), self.logs / f"{name}.log")
            self._children.append(child)
            source = str(self._functions / name / "main.py")
            port = str(function_port(name, self.ports))
            arguments = ("--target", name, "--source", source, "--host", HOST, "--port", port)
            await child.start("functions_framework", arguments, ROOT, self._environment(name))
        for child in self._children:
            await child.listening()
            child.keep()

    def _environment(self, name: str) -> dict[str, str]:
        """A function's variables: those deploy.sh would set, pointing here."""
        accounts = self.cloud.accounts
        signs_as = {"issuer": "signer", "status": "reader"}.get(name)
        signer = (
            {"SLUICE_SIGNER": accounts.email(signs_as), "SLUICE_SIGNER_KEY": str(accounts.key_file(signs_as))}
            if signs_as
            else {}
        )
        inherited = {name: value for name, value in os.environ.items() if name in _INHERITED or name.startswith("SLUICE_")}
        return {
            **inherited,
            **service_urls(self.ports),
            **signer,
            "PYTHONPATH": str(ROOT),
            "GOOGLE_CLOUD_PROJECT": PROJECT,
            "STORAGE_EMULATOR_HOST": f"http://{HOST}:{self.ports.storage}",
            "PUBSUB_EMULATOR_HOST": f"{HOST}:{self.ports.pubsub_grpc}",
            # Otherwise google-cloud-storage answers each 404 with a call of its own, to see whether the bucket is still there.
            "DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA": "true",
            "SLUICE_LOCATION": LOCATION,
            "SLUICE_UPLOADS_BUCKET": "uploads",
            "SLUICE_RESULTS_BUCKET": "results",
            "SLUICE_PIPELINE": os.environ.get("SLUICE_PIPELINE", str(ROOT / "pipeline.toml")),
            "SLUICE_PUSH_ACCOUNT": accounts.email("push"),
            "SLUICE_TASKS_ACCOUNT": accounts.email("tasks"),
            "SLUICE_TASKS_ENDPOINT": f"http://{HOST}:{self.ports.tasks}",
            "SLUICE_TOKEN_ISSUER": accounts.issuer,
            "SLUICE_TOKEN_CERTIFICATES": f"http://{HOST}:{self.ports.tasks}/oauth2/v1/certs",
        }


def function_port(name: str, ports: Ports) -> int:
    """8080 for upload and so on, moved by the offset."""
    return FIRST_PORT + FUNCTIONS.index(name) + ports.offset


def service_urls(ports: Ports) -> dict[str, str]:
    """`SLUICE_<FUNCTION>_URL` of every function."""
    return {f"SLUICE_{name.upper()}_URL": f"http://{HOST}:{function_port(name, ports)}" for name in FUNCTIONS}


def client_environment(data: Path, ports: Ports) -> dict[str, str]:
    """What a shell needs to use the stack: Google's clients pointed here, and the functions' URLs."""
    return clients.environment(data, ports) | service_urls(ports)


class _Resources:
    """Buckets, topics, subscriptions, queues and the notification, made or brought up to date through the public APIs."""

    def __init__(self, http: aiohttp.ClientSession, ports: Ports) -> None:
        self._http = http
        self._storage = f"http://{HOST}:{ports.storage}/storage/v1"
        self._pubsub = f"http://{HOST}:{ports.pubsub}/v1/projects/{PROJECT}"
        self._tasks = f"http://{HOST}:{ports.tasks}/v2/projects/{PROJECT}/locations/{LOCATION}"
        self._dispatcher = f"http://{HOST}:{function_port('dispatcher', ports)}"

    async def create(self) -> None:
        for bucket in ("uploads", "results"):
            await self._call("POST", f"{self._storage}/b?project={PROJECT}", {"name": bucket})
        for topic in ("uploads", "completions", "dead-letters"):
            await self._call("PUT", f"{self._pubsub}/topics/{topic}", {})
        for name in ("completions", "dead-letters"):
            await self._subscribe(name, name, {})
        await self._push_to_dispatcher()
        await self._queues()
        await self._notify()

    async def _push_to_dispatcher(self) -> None:
        token = {"serviceAccountEmail": f"push@{PROJECT}.iam.gserviceaccount.com", "audience": self._dispatcher}
        # The path names the topic: functions-framework takes the event's source from it.
        push = {"pushEndpoint": f"{self._dispatcher}/projects/{PROJECT}/topics/uploads", "oidcToken": token}
        dead = {"deadLetterTopic": f"projects/{PROJECT}/topics/dead-letters", "maxDeliveryAttempts": 20}
        retry = {"minimumBackoff": "1s", "maximumBackoff": "60s"}
        wanted = {"pushConfig": push, "ackDeadlineSeconds": 60, "deadLetterPolicy": dead, "retryPolicy": retry}
        await self._subscribe("dispatcher", "uploads", wanted)
        # Another port offset than last time means another endpoint.
        await self._call("POST", f"{self._pubsub}/subscriptions/dispatcher:modifyPushConfig", {"pushConfig": push})

    async def _subscribe(self, name: str, topic: str, wanted: dict[str, Any]) -> None:
        body = {"topic": f"projects/{PROJECT}/topics/{topic}", **wanted}
        await self._call("PUT", f"{self._pubsub}/subscriptions/{name}", body)

    async def _queues(self) -> None:
        pipeline = Path(os.environ.get("SLUICE_PIPELINE", ROOT / "pipeline.toml"))
        for name, queue in tomllib.loads(pipeline.read_text()).get("queues", {}).items():
            rates = {
                "maxDispatchesPerSecond": queue["max_dispatches_per_second"],
                "maxConcurrentDispatches": queue["max_concurrent_dispatches"],
            }
            retries = {
                "maxAttempts": queue["attempts"] + 1,  # the last delivery is the burial; both limits must be passed
                "maxRetryDuration": "604800s",  # a week: so long may the processor be out of reach
                "minBackoff": f"{queue['min_backoff_seconds']}s",
                "maxBackoff": f"{queue['max_backoff_seconds']}s",
            }
            place = f"projects/{PROJECT}/locations/{LOCATION}/queues/{name}"
            body = {"name": place, "rateLimits": rates, "retryConfig": retries}
            await self._call("PATCH", f"{self._tasks}/queues/{name}?updateMask=rateLimits,retryConfig", body)

    async def _notify(self) -> None:
        url = f"{self._storage}/b/uploads/notificationConfigs"
        known = await self._call("GET", url)
        if not any(item["topic"] == NOTIFICATION for item in known.get("items", [])):
            wanted = {"topic": NOTIFICATION, "payload_format": "JSON_API_V1", "event_types": ["OBJECT_FINALIZE"]}
            await self._call("POST", url, wanted)

    async def _call(self, method: str, url: str, body: dict[str, Any] | None = None) -> Any:
        async with self._http.request(method, url, json=body) as answer:
            return await answer.json()


async def _refuse(answer: aiohttp.ClientResponse) -> None:
    """Anything but success, or 409 for what is there already, is a fault of ours."""
    if answer.status >= 400 and answer.status != 409:
        raise RuntimeError(f"{answer.method} {answer.url}: {answer.status} {await answer.text()}")
