"""One deployment: its options, its list, the names that follow from them, and its state."""

import hashlib
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.kinds import LABEL
from deploy.listing import Listing
from deploy.options import Options
from deploy.state import State
from shared.routes import Pool, Queue, Routes, Webhook
from shared.routes.definitions import SWEEPER

#: The most characters of an account's id before its @ (https://cloud.google.com/iam/docs/service-accounts-create). Services, which
#: have the names of their accounts, may have 49, and 63 together with the project's number.
MAX_NAME = 30
#: The console's origins in a browser on a computer where `gcloud run services proxy` runs with its default port.
PROXIES = ["http://127.0.0.1:8080", "http://localhost:8080"]


@dataclass
class Deployment:
    """One deployment. `image` and `channel` are set by their lines of the list, `held` before them."""

    options: Options
    listing: Listing
    routes: Routes  # pipeline.toml, checked
    folder: Path  # for rendered files, which gcloud reads
    tag: str  # of the image: a hash of its sources
    state: State = field(default_factory=State)
    image: str = ""
    channel: str = ""
    kept: Mapping[str, str] | None = None  # options of the last `up`; None where none are kept
    held: set[str] = field(default_factory=set)  # queues that an operator paused and that stay so

    def full(self, name: str) -> str:
        """The name of a topic, subscription or queue."""
        return f"{self.options.prefix}-{name}"

    def short(self, name: str) -> str:
        """The name of a service, and of its account before the @: where it is too long, its end is a hash of the whole."""
        full = self.full(name)
        if len(full) <= MAX_NAME:
            return full
        digest = hashlib.sha256(full.encode()).hexdigest()[:8]
        return f"{full[: MAX_NAME - len(digest) - 1]}-{digest}"

    def bucket(self, name: str) -> str:
        return f"{self.options.project}-{self.full(name)}"

    def email(self, account: str) -> str:
        return f"{self.short(account)}@{self.options.project}.iam.gserviceaccount.com"

    def account_title(self, account: str) -> str:
        """By its title an account is recognised after its pool is gone."""
        return f"Sluice {account}"

    def role(self, name: str) -> str:
        """A role as policies spell it: Google's own, or one of deploy/roles, whose id takes no hyphens."""
        if name.startswith("roles/"):
            return name
        return f"projects/{self.options.project}/roles/{self.options.prefix.replace('-', '_')}.{name}"

    @property
    def operators(self) -> list[str]:
        """The members who work with ./sluice."""
        return [member for member in self.options.operators.split(",") if member]

    @property
    def viewers(self) -> list[str]:
        """The members who may open the console: whoever may act in it may open it."""
        options = self.options
        acting = [f"{_kind(email)}:{email}" for email in options.console_operators.split(",") if email]
        return list(dict.fromkeys([*filter(None, options.console_viewers.split(",")), *acting]))

    @property
    def is_behind_iap(self) -> bool:
        """Whether the console is behind Identity-Aware Proxy."""
        return self.options.console_access == "iap"

    @property
    def origins(self) -> list[str]:
        """The origins of pages that use signed URLs: those of --origins, and the console's own."""
        own = [self.url("console")] if self.is_behind_iap else PROXIES
        return [*filter(None, self.options.origins.split(",")), *own]

    @property
    def label(self) -> str:
        """The label of everything that takes labels, as gcloud's flags take it."""
        return f"{LABEL}={self.options.prefix}"

    def relabel(self, found: str) -> list[str]:
        """The flag that labels what has another value of our label, or none."""
        return [f"--update-labels={self.label}"] if found != self.options.prefix else []

    def host(self, service: str) -> str:
        """Cloud Run's deterministic host name, known before the service exists."""
        return f"{self.short(service)}-{self.state.project_number}.{self.options.region}.run.app"

    def url(self, service: str) -> str:
        return f"https://{self.host(service)}"

    @property
    def queues(self) -> Mapping[str, Queue]:
        """The queues of pipeline.toml by name."""
        return self.routes.queues

    @property
    def webhooks(self) -> Mapping[str, Webhook]:
        """The webhooks of pipeline.toml by the names of their queues."""
        return {webhook.queue: webhook for webhook in self.routes.webhooks.values()}

    @property
    def every_queue(self) -> list[str]:
        """The names of all queues: those of steps, those of webhooks, and the sweeper's."""
        return [*self.queues, *self.webhooks, *self.own_queues]

    @property
    def own_queues(self) -> list[str]:
        """The names of the queues that a deployment has whatever pipeline.toml says."""
        return [SWEEPER.name]

    @property
    def webhook_secrets(self) -> list[str]:
        """The secrets of the webhooks, each once; they are the operator's, so that they have no prefix."""
        return list(dict.fromkeys(webhook.secret.partition(":")[2] for webhook in self.webhooks.values()))

    @property
    def pools(self) -> Mapping[str, Pool]:
        """The pool of each service that is one, by the service's name."""
        return self.listing.pools

    def server(self, queue: Queue) -> str:
        """The service that does the tasks of a queue."""
        return next(name for name, pool in self.pools.items() if pool == self.routes.pool(queue.name))

    @property
    def topic_of_uploads(self) -> str:
        """As notifications name it."""
        return f"{self.options.project}/topics/{self.full('uploads')}"

    @property
    def push_endpoint(self) -> str:
        """The functions-framework takes the event's source from this path."""
        return f"{self.url('dispatcher')}/projects/{self.topic_of_uploads}"

    @property
    def repository(self) -> str:
        return f"{self.options.region}-docker.pkg.dev/{self.options.project}/{self.options.prefix}"

    @property
    def title(self) -> str:
        """Of the dashboard and the channel; the titles of alerts begin with it."""
        return f"Sluice ({self.options.prefix})"

    @property
    def storage_agent(self) -> str:
        return f"service-{self.state.project_number}@gs-project-accounts.iam.gserviceaccount.com"

    @property
    def pubsub_agent(self) -> str:
        return f"service-{self.state.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"

    @property
    def scheduler_agent(self) -> str:
        return f"service-{self.state.project_number}@gcp-sa-cloudscheduler.iam.gserviceaccount.com"

    @property
    def iap_agent(self) -> str:
        return f"service-{self.state.project_number}@gcp-sa-iap.iam.gserviceaccount.com"

    @property
    def in_region(self) -> str:
        return f"--region={self.options.region}"

    @property
    def at_location(self) -> str:
        return f"--location={self.options.region}"

    def here(self, commands: str) -> str:
        """Commands that users are told to run, with the project and the prefix that they gave here."""
        project = f" --project={self.options.project}" if "project" in self.options.given else ""
        prefix = f" --prefix={self.options.prefix}" if "prefix" in self.options.given else ""
        commands = re.sub(r"(?<!\S)gcloud(?= )(?!.* --project=)", rf"gcloud{project}", commands)
        return re.sub(r"\./deploy\.sh \w+", rf"\g<0>{project}{prefix}", commands)

    def write(self, name: str, content: str) -> str:
        """The path of a file with this content, for gcloud to read."""
        path = self.folder / name
        path.write_text(content)
        return str(path)


def _kind(email: str) -> str:
    return "serviceAccount" if email.endswith(".gserviceaccount.com") else "user"


def fingerprint(content: str) -> str:
    """A number of at most ten digits that identifies a definition in labels."""
    return str(zlib.crc32(content.encode()))
