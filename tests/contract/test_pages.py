"""The pages of a backfill wait in the sweeper's queue, once under their names: the fake and the real adapter."""

import base64
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared import backfill_page
from shared import routes as routing
from shared import settings as configuration
from shared.backfill_page import Page
from shared.cloud.protocols import Cloud
from shared.cloud.tasks import CloudTasks
from shared.errors import BadConfiguration
from tests.conftest import ENVIRONMENT, PIPELINE
from tests.localcloud.target import Target


def test_a_page_waits_once_for_its_time(cloud: Cloud) -> None:
    page = Page(f"20260101T000000-{time.time_ns() % 2**32:08x}", 1, 2, wait_seconds=600)

    assert cloud.queue.find(page) is None
    assert [cloud.queue.add(page) for _ in range(2)] == [True, False]
    assert cloud.queue.find(replace(page, number=3)) is None
    assert cloud.queue.find(page) is not None


@pytest.mark.parametrize("wait_seconds", [0, 320])
def test_a_page_is_for_the_sweeper(target: Target, wait_seconds: int) -> None:
    page = Page("20260101T000000-00000000", 1, 2, wait_seconds)
    settings = replace(configuration.load(ENVIRONMENT), tasks_endpoint=target.url, queue_prefix="sluice-")
    target.body = b"{}"
    CloudTasks(settings, routing.load(PIPELINE)).add(page)

    (sent,) = target.received
    task = json.loads(sent.body)["task"]
    assert task["name"].endswith("/queues/sluice-sweeper/tasks/backfill-20260101T000000-00000000-1-2")
    assert (task["httpRequest"]["url"], task["dispatchDeadline"]) == ("https://sweeper.test/pages", "1800s")
    assert backfill_page.read(json.loads(base64.b64decode(task["httpRequest"]["body"]))) == replace(page, wait_seconds=0)
    due = datetime.fromisoformat(task["scheduleTime"]) if wait_seconds else datetime.now(UTC)
    assert abs(due - datetime.now(UTC) - timedelta(seconds=wait_seconds)) < timedelta(seconds=60)
    assert ("scheduleTime" in task) == bool(wait_seconds)


def test_without_the_sweepers_url_no_page_is_queued() -> None:
    settings = replace(configuration.load(ENVIRONMENT), sweeper_url="")

    with pytest.raises(BadConfiguration, match="SLUICE_SWEEPER_URL"):
        CloudTasks(settings, routing.load(PIPELINE)).add(Page("20260101T000000-00000000"))
