"""`./sluice webhooks`: what waits for each, a test and its ends, and delivering again."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.backfill_page import Page
from shared.cloud.protocols import Queued
from shared.errors import NotFound
from shared.operations import webhooks
from shared.operations.webhooks import WAIT_SECONDS, Clock
from shared.plan import Task
from shared.testing import FakeCloud
from shared.testing_queues import FakeQueue
from shared.webhooks.deliveries import TEST, Delivery
from tests.cli.conftest import Sluice

NOTICE = Delivery("orders", "job", "some-job", ("jobs/a/1/0/job.json",), 0)


@dataclass
class Scripted(FakeQueue):
    """The queues; each look at a delivery finds the next of these, and the last again. None: it has ended."""

    looks: list[Queued | None] = field(default_factory=list)

    def find(self, task: Task | Delivery | Page) -> Queued | None:
        if not isinstance(task, Delivery) or super().find(task) is None:
            return super().find(task)
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


WAITING, RUNNING, FAILED = Queued(0, False, ""), Queued(1, True, ""), Queued(1, False, "")


class Time:
    """A clock that waiting moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.seconds, self.wait)

    def wait(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.mark.parametrize(
    ("looks", "state", "seconds", "is_left"),
    [
        ([None], "taken", 0, True),
        ([WAITING, RUNNING, None], "taken", 1, True),
        ([WAITING, RUNNING, FAILED], "refused", 1, False),
        ([WAITING], "unanswered", WAIT_SECONDS, False),
        ([RUNNING], "unanswered", WAIT_SECONDS, False),
    ],
)
def test_a_test_ends_with_its_first_delivery_or_after_half_a_minute(
    looks: list[Queued | None], state: str, seconds: float, is_left: bool, cloud: FakeCloud
) -> None:
    cloud.queue, time = Scripted(looks=looks), Time()

    tested = webhooks.send_test("orders", cloud, time.clock)

    ((name, delivery),) = cloud.queue.deliveries.items()
    assert (tested.state, time.seconds - 1000) == (state, seconds)
    assert (delivery.webhook, delivery.kind, delivery.manifests, delivery.since) == ("orders", TEST, (), 1000)
    assert tested.event == delivery.event
    assert (name not in cloud.queue.deleted) == is_left, "one that is not taken must leave the queue"


def test_a_delivery_that_ends_at_the_last_moment_was_taken(cloud: FakeCloud) -> None:
    class Ending(Scripted):
        def delete(self, task: Task | Delivery) -> bool:
            super().delete(task)
            return False

    cloud.queue = Ending(looks=[RUNNING])

    assert webhooks.send_test("orders", cloud, Time().clock).state == "taken"


def test_an_interrupted_test_leaves_the_queue(cloud: FakeCloud) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    cloud.queue = Scripted(looks=[WAITING])
    with pytest.raises(KeyboardInterrupt):
        webhooks.send_test("orders", cloud, Clock(wait=interrupt))

    assert cloud.queue.deleted == set(cloud.queue.deliveries)


def test_a_paused_webhook_is_not_tested_and_the_way_on_is_named(sluice: Sluice, cloud: FakeCloud) -> None:
    cloud.queue.pause("webhook-orders")

    done = sluice("webhooks", "test", "orders")

    assert (done.code, cloud.queue.deliveries) == (1, {})
    assert done.err.startswith("orders is paused: ./sluice webhooks resume orders.")


def test_two_tests_are_two_events(sluice: Sluice, cloud: FakeCloud) -> None:
    assert [sluice("webhooks", "test", "orders").code for _ in range(2)] == [0, 0]
    assert len({delivery.event for delivery in cloud.queue.deliveries.values()}) == 2


def test_the_sentence_of_a_refused_test_names_its_event(sluice: Sluice, cloud: FakeCloud) -> None:
    cloud.queue = Scripted(looks=[FAILED])

    done = sluice("webhooks", "test", "audit")

    (delivery,) = cloud.queue.deliveries.values()
    assert done.code == 1
    assert done.lines[1].split() == ["audit", "refused", delivery.event]
    assert done.err == f"audit did not take the test; the notifier's log has the answer, with the event {delivery.event}\n"


def test_the_list_shows_what_waits_and_hides_the_query(sluice: Sluice, cloud: FakeCloud) -> None:
    due = (datetime.now(UTC) - timedelta(hours=3)).isoformat()
    cloud.queue = Scripted(looks=[Queued(2, False, due)])
    cloud.queue.add(NOTICE)
    cloud.queue.pause("webhook-audit")

    header, *rows = (line.split() for line in sluice("webhooks", "ls").lines)

    assert header == ["WEBHOOK", "STATE", "DEPTH", "RUNNING", "OLDEST", "NOTICES", "VERDICTS", "URL"]
    assert rows == [
        ["orders", "running", "1", "0", "3h", "job", "all", "https://orders.example.com/sluice"],
        ["audit", "PAUSED", "0", "0", "job,step", "failed,dead", "https://audit.example.com/"],
    ]


def test_a_resumed_webhook_delivers_again(sluice: Sluice, cloud: FakeCloud) -> None:
    cloud.queue.pause("webhook-orders")

    done = sluice("webhooks", "resume", "orders")

    assert (done.code, cloud.queue.paused) == (0, set())
    assert done.lines[1].split()[:2] == ["orders", "running"]


@pytest.mark.parametrize("command", ["test", "resume"])
def test_a_webhook_that_pipeline_toml_lacks_is_not_found(sluice: Sluice, command: str) -> None:
    done = sluice("webhooks", command, "order")

    assert (done.code, done.err) == (3, "error: pipeline.toml has no webhook 'order'; it has orders, audit\n")


def test_without_webhooks_the_list_is_empty(sluice: Sluice, cloud: FakeCloud) -> None:
    cloud.routes = replace(cloud.routes, webhooks={})

    assert sluice("webhooks", "ls").err == "pipeline.toml has no webhooks\n"
    with pytest.raises(NotFound, match="it has none"):
        webhooks.resume("orders", cloud)
