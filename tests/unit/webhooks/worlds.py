"""Webhooks in the cloud in memory: manifests of a file, its notices as Pub/Sub pushes them, and deliveries."""

import base64
from collections.abc import Iterable

from shared import pipeline, routes
from shared.events import Notice
from shared.model import Json, Run
from shared.plan import Plan, Task
from shared.testing import FakeCloud
from shared.webhooks import pushes
from shared.webhooks.deliveries import Delivery
from tests.conftest import PIPELINE


def push(notice: Notice) -> Json:
    """The body of a push, wrapped as Pub/Sub does."""
    message = {"data": base64.b64encode(notice.data).decode(), "attributes": dict(notice.attributes), "messageId": "1"}
    return {"message": message, "subscription": "projects/local-project/subscriptions/notifier"}


def with_webhooks(cloud: FakeCloud, *tables: str) -> None:
    """Give the cloud a pipeline.toml with these webhooks."""
    cloud.routes = routes.parse(PIPELINE.read_text() + "".join(tables))


def ended(cloud: FakeCloud, run: Run, plan: Plan) -> list[Notice]:
    """Work a run to its end; its notices."""
    before = len(cloud.completions.notices)
    pipeline.enlist(run, plan, cloud)
    for place in plan.places:
        pipeline.process(Task(run, plan, place), 1, cloud)
    return cloud.completions.notices[before:]


def pushed(cloud: FakeCloud, notices: Iterable[Notice]) -> list[Delivery]:
    """Push these notices; the deliveries that are new."""
    before = len(cloud.queue.deliveries)
    for notice in notices:
        pushes.receive(push(notice), cloud)
    return list(cloud.queue.deliveries.values())[before:]
