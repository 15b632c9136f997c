"""The tasks of the notifier: one for each webhook and notice. Pure."""

import re
from dataclasses import dataclass
from typing import Any

from shared import naming
from shared.errors import BadRequest
from shared.model import Json
from shared.routes.webhooks import QUEUE_PREFIX

#: The path of the notifier to which Cloud Tasks delivers.
PATH = "/deliveries"
#: Kinds of notices as pipeline.toml names them, and the operator's test of a webhook.
JOB, STEP, TEST = "job", "step", "test"
#: The ids of events: Cloud Tasks takes such names (at most 500 characters).
EVENT_ID = "[A-Za-z0-9_-]{1,400}"
#: The end of the year 9999, in seconds since the epoch: no later time can be written.
MAX_SECONDS = 253_402_300_799


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notice on its way to a webhook.

    `event` is its ce-id, `manifests` are the objects that it is cut from, in the order of their tasks; a test has none. `since` is
    when it was queued first, in seconds since the epoch.
    """

    webhook: str
    kind: str
    event: str
    manifests: tuple[str, ...]
    since: int

    @property
    def name(self) -> str:
        """The name in its queue: a repeat of the notice has the same one."""
        return self.event

    @property
    def queue(self) -> str:
        """The queue of its webhook."""
        return QUEUE_PREFIX + self.webhook

    def to_json(self) -> Json:
        return {
            "webhook": self.webhook,
            "kind": self.kind,
            "event": self.event,
            "manifests": list(self.manifests),
            "since": self.since,
        }

    @classmethod
    def from_json(cls, value: Json) -> "Delivery":
        """Raises `LookupError`, `TypeError` or `ValueError` for anything else."""
        names, since = value["manifests"], int(value["since"])
        if not isinstance(names, list) or not all(map(_is_manifest, names)):
            raise ValueError("the manifests are no list of objects under jobs/")
        if not 0 <= since <= MAX_SECONDS:
            raise ValueError("no delivery was queued at that time")
        if value["kind"] not in (JOB, STEP, TEST) or not re.fullmatch(EVENT_ID, value["event"]):
            raise ValueError("the kind or the id of the event is none of ours")
        return cls(str(value["webhook"]), value["kind"], value["event"], tuple(names), since)


def _is_manifest(name: Any) -> bool:
    return isinstance(name, str) and name.startswith("jobs/") and naming.is_possible(name)


def read(body: Json) -> Delivery:
    """The task in the body of a request. Raises `BadRequest` when a field is missing or malformed."""
    try:
        return Delivery.from_json(body)
    except (LookupError, TypeError, ValueError, OverflowError):
        raise BadRequest("a field of the body is missing or malformed", "bad_json") from None
