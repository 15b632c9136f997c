"""A receiver that fails for an hour delays no other, and gets each verdict once when it is back.

The queues are those of the local cloud under a clock that the test turns, behind the real adapter. The notifier is its own code.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask, Response, request
from google.cloud import tasks_v2
from google.protobuf.duration_pb2 import Duration
from werkzeug.serving import make_server

from localcloud.clock import TurnedClock
from shared import routes, web
from shared import settings as configuration
from shared.cloud.tasks import CloudTasks
from shared.model import File, Run
from shared.plan import Plan
from shared.routes import Queue
from shared.testing import FakeCloud
from shared.webhooks import attempts, pushes
from shared.webhooks.deliveries import Delivery
from tests.conftest import ENVIRONMENT, PIPELINE
from tests.eventually import eventually
from tests.localcloud.tasks.world import LOCATION, World
from tests.localcloud.world import started
from tests.ports import free_port
from tests.receivers import SECRET, Receiver, receiving
from tests.unit.webhooks.worlds import ended, push

START = 1_800_000_000
#: Pauses of a queue from 5 s, doubled: the seconds after the first attempt at which a task is tried again within the hour.
AGAIN = [5, 15, 35, 75, 155, 315, 635, 1275, 2555]


class Sluice:
    """Notices, queues under a turned clock, and a notifier with two receivers: `broken` answers 500, `healthy` 204."""

    def __init__(self, world: World, broken: Receiver, healthy: Receiver, port: int) -> None:
        self.world, self.broken, self.healthy = world, broken, healthy
        settings = configuration.load(ENVIRONMENT | {"SLUICE_TASKS_ENDPOINT": world.url, "SLUICE_WEBHOOK_LOOPBACK": "1"})
        toml = PIPELINE.read_text() + broken.toml("broken") + healthy.toml("healthy")
        self.cloud = FakeCloud(replace(settings, notifier_url=f"http://127.0.0.1:{port}"), routes.parse(toml))
        self.cloud.queue = CloudTasks(self.cloud.settings, self.cloud.routes)  # type: ignore[assignment]
        for webhook in self.cloud.routes.webhooks.values():
            self._create(webhook.rates)

    def _create(self, queue: Queue) -> None:
        """The queue as the local stack creates it."""
        limits = {
            "max_dispatches_per_second": queue.max_dispatches_per_second,
            "max_concurrent_dispatches": queue.max_concurrent_dispatches,
        }
        pauses = {key: Duration(seconds=int(getattr(queue, f"{key}_seconds"))) for key in ("min_backoff", "max_backoff")}
        retry = tasks_v2.RetryConfig(max_attempts=100, max_retry_duration=Duration(seconds=604_800), max_doublings=16, **pauses)
        self.world.queue(queue.name, rate_limits=limits, retry_config=retry)

    def notify(self, name: str) -> str:
        """A file ends, and Pub/Sub pushes its notice; the id of the event."""
        stored = self.cloud.uploads.put(name, b"words", "text/plain")
        file = File("uploads", name, stored.generation, stored.size, "text/plain", stored.crc32c)
        (notice,) = ended(self.cloud, Run(file), Plan())
        pushes.receive(push(notice), self.cloud, self.world.clock.time)
        return notice.attributes["ce-id"]

    def waiting(self) -> list[Any]:
        """The tasks of the broken receiver, each with its next attempt ahead."""
        return eventually(lambda: self._settled(), "the end of the attempts")[0]

    def _settled(self) -> tuple[list[Any]] | None:
        found: list[Any] = list(self.world.client.list_tasks(parent=f"{LOCATION}/queues/webhook-broken"))
        return (found,) if all(task.schedule_time.timestamp() > self.world.clock.time() for task in found) else None

    def next(self) -> None:
        """Turn the clock to the next attempt at the broken receiver: not further, as that has a deadline."""
        due = min(task.schedule_time.timestamp() for task in self.waiting())
        self.world.turn(due - self.world.clock.time())

    def app(self) -> Flask:
        """The part of the notifier that Cloud Tasks calls, under the turned clock."""
        made = Flask("notifier")

        @made.post("/deliveries")
        def deliver() -> Response:
            world = attempts.World(now=self.world.clock.time)
            found = attempts.attempt(Delivery.from_json(json.loads(request.get_data())), self.cloud, world)
            return web.reply({"state": found.state}, found.status)

        return made


@contextmanager
def serving(app: Flask, port: int) -> Iterator[None]:
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def sluice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sluice]:
    monkeypatch.setenv("SLUICE_SECRET_TEST", SECRET)
    port = free_port()
    with ExitStack() as stack:
        world = stack.enter_context(started(World(tmp_path, TurnedClock(START))))
        broken, healthy = (stack.enter_context(receiving(Receiver(status))) for status in (500, 204))
        made = Sluice(world, broken, healthy, port)
        stack.enter_context(serving(made.app(), port))
        yield made


def test_a_receiver_that_fails_for_an_hour_delays_no_other_and_gets_each_verdict_once(sluice: Sluice) -> None:
    broken, healthy, clock = sluice.broken, sluice.healthy, sluice.world.clock
    first = [sluice.notify(f"{number}.txt") for number in range(3)]
    assert eventually(lambda: sorted(healthy.took) == sorted(first))
    while clock.time() < START + AGAIN[-1]:
        sluice.next()
    sluice.waiting()
    late = sluice.notify("late.txt")
    assert eventually(lambda: late in healthy.took)  # at once: the clock stands still
    sluice.waiting()
    assert broken.took == []

    while clock.time() < START + 3600:
        sluice.next()
    broken.status = 204
    while sluice.waiting():
        sluice.next()
    assert sorted(broken.took) == sorted(healthy.took) == sorted([*first, late])
    times = {int(one.headers["webhook-timestamp"]) - START for one in broken.posted if one.id in first}
    assert times == {0, *AGAIN, 5115}
