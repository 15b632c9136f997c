"""The buckets, topics, subscriptions and queues that Sluice needs, made through the public APIs."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import aiohttp

from localcloud.address import HOST, LOCATION, PROJECT, Ports
from shared import cors, lifecycle
from shared.model import Json
from shared.routes import Queue, Routes
from shared.routes.definitions import SWEEPER

NO_FIELDS: Mapping[str, Any] = MappingProxyType({})
#: The dispatcher's policy; the notifier acknowledges what it cannot read.
DEAD_LETTERS = {"deadLetterPolicy": {"deadLetterTopic": f"projects/{PROJECT}/topics/dead-letters", "maxDeliveryAttempts": 20}}
#: How far back a subscription to the notices may seek, as deploy.sh has it by default.
RETENTION = "604800s"
#: Old notes of attempts are deleted, as deploy.sh has it.
LIFECYCLE = {"action": {"type": "Delete"}, "condition": {"age": lifecycle.NOTES_DAYS, "matchesPrefix": [lifecycle.NOTES]}}
NOTIFICATION = f"//pubsub.googleapis.com/projects/{PROJECT}/topics/uploads"


async def create(ports: Ports, urls: Mapping[str, str], routes: Routes, pages: Iterable[str] = ()) -> None:
    """Create what is missing and update the rest. `urls` has the base URL of each function.

    `pages` are origins of web pages that may use the buckets, beside the console's.
    """
    origins = [*pages, urls["SLUICE_CONSOLE_URL"], urls["SLUICE_CONSOLE_URL"].replace(HOST, "localhost")]
    async with aiohttp.ClientSession(raise_for_status=_check) as http:
        resources = _Resources(http, ports)
        await resources.bucket("uploads", {"cors": [cors.of_uploads(origins, routes)]})
        await resources.bucket("results", {"cors": [cors.of_results(origins)], "lifecycle": {"rule": [LIFECYCLE]}})
        for topic in ("uploads", "completions", "dead-letters"):
            await resources.topic(topic)
        for topic in ("completions", "dead-letters"):
            await resources.subscription(topic, topic, {})
        await resources.keep("completions", RETENTION)
        await resources.push("dispatcher", "uploads", urls["SLUICE_DISPATCHER_URL"], DEAD_LETTERS)
        if routes.webhooks:
            await resources.push("notifier", "completions", urls["SLUICE_NOTIFIER_URL"])
        else:
            await resources.no_push("notifier")
        for queue in (*routes.queues.values(), *(webhook.rates for webhook in routes.webhooks.values()), SWEEPER):
            await resources.queue(queue)
        await resources.notification()


class _Resources:
    def __init__(self, http: aiohttp.ClientSession, ports: Ports) -> None:
        self._http = http
        self._storage = f"http://{HOST}:{ports.storage}/storage/v1"
        self._pubsub = f"http://{HOST}:{ports.pubsub}/v1/projects/{PROJECT}"
        self._tasks = f"http://{HOST}:{ports.tasks}/v2"

    async def bucket(self, name: str, fields: Json) -> None:
        """A bucket with these fields. It may be an older one, made under another port offset."""
        await self._call("POST", f"{self._storage}/b?project={PROJECT}", {"name": name})
        await self._call("PATCH", f"{self._storage}/b/{name}", fields)

    async def topic(self, name: str) -> None:
        await self._call("PUT", f"{self._pubsub}/topics/{name}", {})

    async def keep(self, topic: str, retention: str) -> None:
        """Let subscriptions seek back so far. The topic may be an older one, which kept nothing."""
        full = f"projects/{PROJECT}/topics/{topic}"
        body = {"topic": {"name": full, "messageRetentionDuration": retention}, "updateMask": "messageRetentionDuration"}
        await self._call("PATCH", f"{self._pubsub}/topics/{topic}", body)

    async def subscription(self, name: str, topic: str, fields: dict[str, Any]) -> None:
        body = {"topic": f"projects/{PROJECT}/topics/{topic}", **fields}
        await self._call("PUT", f"{self._pubsub}/subscriptions/{name}", body)

    async def push(self, function: str, topic: str, url: str, fields: Mapping[str, Any] = NO_FIELDS) -> None:
        """The subscription that pushes the topic's messages to this function."""
        token = {"serviceAccountEmail": f"push@{PROJECT}.iam.gserviceaccount.com", "audience": url}
        # functions-framework takes the event's source from the topic's name in the path.
        push = {"pushEndpoint": f"{url}/projects/{PROJECT}/topics/{topic}", "oidcToken": token}
        retry = {"minimumBackoff": "1s", "maximumBackoff": "60s"}
        await self.subscription(function, topic, {"pushConfig": push, "ackDeadlineSeconds": 60, "retryPolicy": retry, **fields})
        # The subscription may be an older one: another port offset means another endpoint.
        await self._call("POST", f"{self._pubsub}/subscriptions/{function}:modifyPushConfig", {"pushConfig": push})

    async def no_push(self, function: str) -> None:
        """Delete the subscription of a function that runs no more: its messages would wait for days."""
        found = await self._call("GET", f"{self._pubsub}/subscriptions")
        if any(item["name"].endswith(f"/{function}") for item in found.get("subscriptions", [])):
            await self._call("DELETE", f"{self._pubsub}/subscriptions/{function}")

    async def queue(self, queue: Queue) -> None:
        rates = {
            "maxDispatchesPerSecond": queue.max_dispatches_per_second,
            "maxConcurrentDispatches": queue.max_concurrent_dispatches,
        }
        retries = {
            # Both limits must be passed before Cloud Tasks gives up: a task outlives a week without a processor. The processor
            # itself counts attempts, which are each step's.
            "maxAttempts": 100,
            "maxRetryDuration": "604800s",
            "minBackoff": f"{queue.min_backoff_seconds}s",
            "maxBackoff": f"{queue.max_backoff_seconds}s",
        }
        name = f"projects/{PROJECT}/locations/{LOCATION}/queues/{queue.name}"
        body = {"name": name, "rateLimits": rates, "retryConfig": retries}
        await self._call("PATCH", f"{self._tasks}/{name}?updateMask=rateLimits,retryConfig", body)

    async def notification(self) -> None:
        url = f"{self._storage}/b/uploads/notificationConfigs"
        found = await self._call("GET", url)
        if not any(item["topic"] == NOTIFICATION for item in found.get("items", [])):
            fields = {"topic": NOTIFICATION, "payload_format": "JSON_API_V1", "event_types": ["OBJECT_FINALIZE"]}
            await self._call("POST", url, fields)

    async def _call(self, method: str, url: str, body: dict[str, Any] | None = None) -> Any:
        async with self._http.request(method, url, json=body) as answer:
            return await answer.json()


async def _check(answer: aiohttp.ClientResponse) -> None:
    """Raise RuntimeError for every error but 409, the answer when the resource exists already."""
    if answer.status >= 400 and answer.status != 409:
        raise RuntimeError(f"{answer.method} {answer.url}: {answer.status} {await answer.text()}")
