"""The event that a webhook gets: the notice, cut from its manifests, as a CloudEvent in structured mode. Pure.

`data` is the notice's data, byte for byte. Source: CloudEvents 1.0, JSON event format.
"""

from collections.abc import Sequence

from shared import events
from shared.events import Notice
from shared.manifest import Job, Manifest
from shared.model import canonical
from shared.webhooks.deliveries import JOB, Delivery

CONTENT_TYPE = "application/cloudevents+json"
TEST_EVENT = "sluice.webhook.test.v1"


def notice(delivery: Delivery, manifests: Sequence[Manifest]) -> Notice | None:
    """The notice with the id of this delivery, as it was published; None where the manifests have none."""
    if not manifests:
        return None
    if delivery.kind == JOB:
        found = [events.job_notice(Job(manifests))]
    else:
        found = [each for manifest in manifests for each in events.step_notices(manifest)]
    return next((each for each in found if each.attributes["ce-id"] == delivery.event), None)


def body(notice: Notice) -> bytes:
    """The event of this notice in JSON: its attributes, then its data."""
    attributes = {key.removeprefix("ce-"): value for key, value in notice.attributes.items() if key != "content-type"}
    head = canonical(attributes | {"datacontenttype": notice.attributes["content-type"]})
    return head[:-1] + b',"data":' + notice.data + b"}"


def test(delivery: Delivery, source: str, time: str) -> bytes:
    """The event by which an operator tests a webhook."""
    attributes = {
        "ce-specversion": "1.0",
        "ce-type": TEST_EVENT,
        "ce-id": delivery.event,
        "ce-source": source,
        "ce-subject": delivery.webhook,
        "ce-time": time,
        "content-type": "application/json",
    }
    return body(Notice(canonical({"webhook": delivery.webhook}), attributes))
