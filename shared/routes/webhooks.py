"""The webhooks of a pipeline.toml, from their tables: who gets which notices."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from shared import origins
from shared.errors import BadConfiguration
from shared.routes import keys
from shared.routes.definitions import Queue
from shared.routes.faults import Faults, below
from shared.sweep_part import QUEUE as SWEEPER

#: Begins the names of the webhooks' queues; no queue of steps may have such a name.
QUEUE_PREFIX = "webhook-"
MAX_URL_CHARACTERS = 2048
#: Most posts to a receiver at the same time. Each may take 15 seconds: the notifier has threads for those of all webhooks.
AT_ONCE = 10
#: Attempts of a notice within three days, at these pauses.
ATTEMPTS = 82
MIN_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS = 5, 3600


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver of notices. `secret` refers to its signing secret: `secret-manager:<secret>`, `env:<variable>`.

    Without `notices`, it gets those of jobs; without `verdicts`, those of every verdict.
    """

    name: str
    url: str
    secret: str
    notices: tuple[str, ...] = ("job",)
    verdicts: tuple[str, ...] = keys.VERDICTS

    @property
    def queue(self) -> str:
        """The Cloud Tasks queue of its deliveries, without the prefix of the deployment."""
        return QUEUE_PREFIX + self.name

    @property
    def rates(self) -> Queue:
        """That queue: its pauses grow from five seconds to an hour. The notifier itself gives up after three days."""
        return Queue(self.queue, 20.0, AT_ONCE, ATTEMPTS, MIN_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS)

    def wants(self, kind: str, verdict: str) -> bool:
        """Whether it gets notices of this kind with this verdict."""
        return kind in self.notices and verdict in self.verdicts

    @property
    def shown(self) -> str:
        """The URL as people may see it: without its query, which may carry a secret."""
        return urlsplit(self.url)._replace(query="").geturl()


def read(faults: Faults, tables: Mapping[str, Any]) -> Mapping[str, Webhook]:
    """The right webhooks. Adds a fault for each wrong one, and for a queue of steps with a name of theirs."""
    for queue in faults.names.get("queues", ()):
        if queue.startswith(QUEUE_PREFIX):
            faults.add(below("queues", queue), f"the queues of webhooks begin with {QUEUE_PREFIX}", "rename it")
        if queue == SWEEPER:
            faults.add(below("queues", queue), "the parts of sweeps wait in the queue of this name", "rename it")
    found = {name: _webhook(faults, name, value) for name, value in tables.items()}
    return {name: webhook for name, webhook in found.items() if webhook}


def _webhook(faults: Faults, name: str, value: Any) -> Webhook | None:
    path = below("webhooks", name)
    faults.check_name(path, name, keys.WEBHOOK_NAME)
    right = faults.read(path, value, keys.WEBHOOK)
    if not {"url", "secret"} <= right.keys():
        return None
    _check_url(faults, f"{path}.url", right["url"])
    chosen = {key: tuple(dict.fromkeys(right[key])) for key in ("notices", "verdicts") if key in right}
    return Webhook(name, right["url"], right["secret"], **chosen)


def _check_url(faults: Faults, path: str, url: str) -> None:
    try:
        port = origins.of(url).port
    except BadConfiguration as error:
        faults.add(path, *error.message.split("; ", 1))
        return
    if not port or len(url) > MAX_URL_CHARACTERS:
        faults.wrong(path, url, f"write a URL with a port above 0, of at most {MAX_URL_CHARACTERS} characters")
