"""Random calls and answers of the target: the service agrees with the model in reference.py."""

import asyncio
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from localcloud.calls import Calls
from localcloud.clock import TurnedClock, rfc3339
from localcloud.tasks.data.store import Store
from localcloud.tasks.delivery.dispatcher import Dispatcher
from localcloud.tasks.http import rest_app
from localcloud.tasks.model import Outcome, Outgoing
from tests.localcloud.asgi import call
from tests.localcloud.tasks.reference import MAX_ATTEMPTS, MAX_CONCURRENT, MAX_RETRY_SECONDS, Attempt, Reference
from tests.localcloud.tasks.world import LOCATION

QUEUE = f"{LOCATION}/queues/q"
SETTINGS = {
    "name": QUEUE,
    "rateLimits": {"maxConcurrentDispatches": MAX_CONCURRENT},
    "retryConfig": {
        "minBackoff": "10s",
        "maxBackoff": "300s",
        "maxDoublings": 3,
        "maxAttempts": MAX_ATTEMPTS,
        "maxRetryDuration": f"{MAX_RETRY_SECONDS}s",
    },
}
NAMES = strategies.sampled_from(["a", "b", "c"])
DELAYS = strategies.sampled_from([-5, 0, 10, 20])
STATUSES = strategies.sampled_from([200, 302, 404, 500, 500, None])


class Sent:
    """The target: it holds each request until the test answers it."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Outgoing, asyncio.Future[Outcome]]] = []

    async def send(self, request: Outgoing) -> Outcome:
        """Hold the request until `answer`."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        entry = (request, answer)
        self.waiting.append(entry)
        try:
            return await answer
        finally:
            self.waiting.remove(entry)

    def seen(self) -> list[tuple[str, str, str]]:
        """Task name, retry count and execution count of each request in flight, sorted."""
        return sorted(_counts(request) for request, _ in self.waiting)

    def answer(self, counts: tuple[str, str, str], which: int, status: int | None) -> None:
        """Answer one of the requests with these counts: a reused task name can be in flight more than once."""
        alike = [answer for request, answer in self.waiting if _counts(request) == counts]
        alike[which].set_result(Outcome(status))


class QueueMachine(RuleBasedStateMachine):
    """One queue of the service beside one of the model."""

    unnamed = Bundle("unnamed")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = TurnedClock()
        self.model = Reference(self.clock.time())

    @initialize()
    def begin(self) -> None:
        self._start()
        assert self._call("POST", f"{LOCATION}/queues", SETTINGS)[0] == 200

    @rule(id_=NAMES, delay=DELAYS)
    def create(self, id_: str, delay: float) -> None:
        expected = 200 if self.model.is_free(id_) else 409
        assert self._create(f"{QUEUE}/tasks/{id_}", delay)[0] == expected
        if expected == 200:
            self.model.create(id_, named=True, delay=delay)

    @rule(target=unnamed, delay=DELAYS)
    def create_unnamed(self, delay: float) -> str:
        id_ = str(self._create("", delay)[1]["name"]).rpartition("/")[2]
        self.model.create(id_, named=False, delay=delay)
        return id_

    @rule(id_=NAMES | unnamed)
    def delete(self, id_: str) -> None:
        task = self.model.find(id_)
        assert self._call("DELETE", f"{QUEUE}/tasks/{id_}")[0] == (200 if task else 404)
        if task:
            self.model.remove(task)

    @rule(id_=NAMES | unnamed)
    def run(self, id_: str) -> None:
        task = self.model.find(id_)
        assert self._call("POST", f"{QUEUE}/tasks/{id_}:run")[0] == (200 if task else 404)
        if task:
            self.model.run(task)

    @rule(delays=strategies.lists(DELAYS, min_size=3, max_size=5))
    def create_many(self, delays: list[int]) -> None:
        for delay in delays:
            self.create_unnamed(delay)

    @rule()
    def pause_or_resume(self) -> None:
        self.model.paused = not self.model.paused
        verb, state = ("pause", "PAUSED") if self.model.paused else ("resume", "RUNNING")
        assert self._call("POST", f"{QUEUE}:{verb}")[1]["state"] == state

    @precondition(lambda self: len(self.model.tasks) > 3)
    @rule()
    def purge(self) -> None:
        assert self._call("POST", f"{QUEUE}:purge")[0] == 200
        for task in list(self.model.tasks):
            self.model.remove(task)

    @precondition(lambda self: self.model.attempts)
    @rule(which=strategies.integers(0, 9), status=STATUSES)
    def answer(self, which: int, status: int | None) -> None:
        attempt = self.model.attempts[which % len(self.model.attempts)]
        alike = [other for other in self.model.attempts if _expected(other) == _expected(attempt)]
        self.sent.answer(_expected(attempt), next(i for i, other in enumerate(alike) if other is attempt), status)
        self._settle()
        self.model.finish(attempt, status)

    @rule(seconds=strategies.sampled_from([1, 10, 300]))
    def turn(self, seconds: float) -> None:
        self.model.turn(seconds)
        self.loop.run_until_complete(self.clock.turn(seconds))

    @precondition(lambda self: self.model.next_due() is not None)
    @rule()
    def turn_to_the_next_task(self) -> None:
        due = self.model.next_due()
        assert due is not None
        self.turn(due - self.model.now)

    @precondition(lambda self: self.model.next_free() is not None)
    @rule(early=strategies.sampled_from([0, 1]))
    def turn_to_the_end_of_a_name(self, early: int) -> None:
        free = self.model.next_free()
        assert free is not None
        moment, id_ = free
        self.turn(max(0, moment - early - self.model.now))
        self.create(id_, 0)

    @rule()
    def restart(self) -> None:
        self._stop()
        self._start()
        self.model.restart()

    @invariant()
    def the_same_requests_are_in_flight(self) -> None:
        self._settle()
        self.model.dispatch()
        assert self.sent.seen() == sorted(_expected(attempt) for attempt in self.model.attempts)

    @invariant()
    def the_same_tasks_are_there(self) -> None:
        listed = self._call("GET", f"{QUEUE}/tasks")[1].get("tasks", [])
        found = [(task["name"], task.get("dispatchCount", 0), _seconds(task["scheduleTime"])) for task in listed]
        assert found == [
            (f"{QUEUE}/tasks/{task.id}", task.attempts, _seconds(rfc3339(task.schedule))) for task in self.model.tasks
        ]

    def teardown(self) -> None:
        self._stop()
        self.loop.close()
        shutil.rmtree(self.folder)

    def _start(self) -> None:
        self.sent, self.store = Sent(), Store(self.folder)
        self.dispatcher = Dispatcher(self.store, self.clock, self.sent.send, lambda _email, _audience: "token")
        self.app = rest_app(self.store, self.dispatcher, self.clock, Calls())
        self.loop.run_until_complete(self.dispatcher.start())

    def _stop(self) -> None:
        self.loop.run_until_complete(self.dispatcher.stop())
        self.store.close()

    def _settle(self) -> None:
        async def turns() -> None:
            for _ in range(10):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turns())

    def _create(self, name: str, delay: float) -> tuple[int, Any]:
        task = {"name": name, "scheduleTime": rfc3339(self.clock.time() + delay), "httpRequest": {"url": "http://target/"}}
        return self._call("POST", f"{QUEUE}/tasks", {"task": task})

    def _call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        sent = json.dumps(body or {}).encode()
        status, answer = self.loop.run_until_complete(call(self.app, method, f"/v2/{path}", sent))
        return status, json.loads(answer)


def _counts(request: Outgoing) -> tuple[str, str, str]:
    name, retries, executions = ("TaskName", "TaskRetryCount", "TaskExecutionCount")
    return tuple(request.headers[f"X-CloudTasks-{part}"] for part in (name, retries, executions))  # type: ignore[return-value]


def _expected(attempt: Attempt) -> tuple[str, str, str]:
    return attempt.task.id, str(attempt.retry_count), str(attempt.execution_count)


def _seconds(timestamp: str) -> str:
    return timestamp[:19]


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(max_examples=20, stateful_step_count=40)


@pytest.mark.long
class TestMoreOfQueue(QueueMachine.TestCase):  # type: ignore[misc,valid-type]  # made by Hypothesis
    settings = settings(max_examples=60, stateful_step_count=40)
