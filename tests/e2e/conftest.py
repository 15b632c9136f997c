"""The whole stack in a process of its own, shared by the tests of a module."""

import json
import queue
from collections.abc import Iterator
from typing import Any

import pytest
from google.cloud.pubsub_v1 import SubscriberClient
from google.cloud.pubsub_v1.subscriber.message import Message

from localcloud.address import PROJECT
from tests.conftest import PIPELINE
from tests.machine import Machine, running, variables

NOTICE_SECONDS = 120


class Notices:
    """Every message of the `completions` subscription, by the object's name."""

    def __init__(self, machine: Machine) -> None:
        self._arrived: queue.Queue[Message] = queue.Queue()
        self.seen: list[Message] = []
        with variables(machine.environment):
            self._subscriber = SubscriberClient()
        self._pull = self._subscriber.subscribe(f"projects/{PROJECT}/subscriptions/completions", self._take)

    def _take(self, message: Message) -> None:
        message.ack()
        self._arrived.put(message)

    def arrived(self) -> list[Message]:
        """The messages since the last call."""
        new = []
        while not self._arrived.empty():
            new.append(self._arrived.get())
        self.seen += new
        return new

    def job(self, name: str, but_not: str = "") -> dict[str, Any]:
        """The job notice for an object's name, except that of the job `but_not`."""
        while True:
            message = next((message for message in self.seen if _is_job(message, name, but_not)), None)
            if message:
                body: dict[str, Any] = json.loads(message.data)
                return body
            self.seen.append(self._arrived.get(timeout=NOTICE_SECONDS))

    def ids(self, name: str) -> list[str]:
        """The `ce-id` of every notice of an object so far."""
        self.arrived()
        return [message.attributes["ce-id"] for message in self.seen if message.attributes["name"] == name]

    def of(self, name: str) -> dict[str, list[tuple[object, ...]]]:
        """Every notice of an object so far, by `ce-id`: its attributes and data."""
        self.arrived()
        found: dict[str, list[tuple[object, ...]]] = {}
        for message in self.seen:
            if message.attributes["name"] == name:
                whole = (message.data, *sorted(message.attributes.items()))
                found.setdefault(message.attributes["ce-id"], []).append(whole)
        return found

    def close(self) -> None:
        self._pull.cancel()
        self._pull.result()
        self._subscriber.close()


def _is_job(message: Message, name: str, but_not: str) -> bool:
    attributes = message.attributes
    wanted = bool(attributes["ce-type"] == "sluice.job.finished.v1" and attributes["name"] == name)
    return wanted and bool(attributes["ce-subject"] != but_not)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("stack"))
    with variables({"SLUICE_PIPELINE": str(PIPELINE)}), running(machine):
        yield machine


@pytest.fixture(autouse=True)
def _pipeline(_own_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stacks that a test starts itself use the tests' pipeline too."""
    monkeypatch.setenv("SLUICE_PIPELINE", str(PIPELINE))


@pytest.fixture(scope="module")
def notices(machine: Machine) -> Iterator[Notices]:
    notices = Notices(machine)
    yield notices
    notices.close()
