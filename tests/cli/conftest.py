"""Files in every state in the fake cloud, and the command line run on it."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from PIL import Image

import shared.cloud
from cli.program import main
from shared import pipeline
from shared.backfill_page import Page
from shared.model import File
from shared.plan import Task
from shared.routes import parse
from shared.sweep_part import Part
from shared.testing import FakeCloud
from shared.testing_queues import FakeQueue
from shared.webhooks.deliveries import Delivery
from tests.unit.pipeline.calls import Uploaded, message
from tests.unit.pipelines import ONLY_PICTURES

#: A second queue, to which no step leads.
SLOW = """
[queues.slow]
max_dispatches_per_second = 1
max_concurrent_dispatches = 1
attempts = 3
min_backoff_seconds = 1
max_backoff_seconds = 60
"""


WEBHOOKS = """
[webhooks.orders]
url = "https://orders.example.com/sluice?key=hidden"
secret = "secret-manager:orders"

[webhooks.audit]
url = "https://audit.example.com/"
secret = "secret-manager:audit"
notices = ["job", "step"]
verdicts = ["failed", "dead"]
"""


class Answering(FakeQueue):
    """The queues, whose webhooks take at once what is queued for them."""

    def add(self, task: Task | Delivery | Part | Page) -> bool:
        is_new = super().add(task)
        if isinstance(task, Delivery):
            self.delete(task)
        return is_new


@dataclass(frozen=True)
class Done:
    """The result of one command: its exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Sluice = Callable[..., Done]
Send = Callable[[str, bytes], File]
Work = Callable[[], None]


@pytest.fixture
def cloud(cloud: FakeCloud) -> FakeCloud:
    cloud.routes = parse(ONLY_PICTURES + SLOW + WEBHOOKS)
    cloud.queue = Answering()
    return cloud


@pytest.fixture
def sluice(monkeypatch: pytest.MonkeyPatch, cloud: FakeCloud, capsys: pytest.CaptureFixture[str]) -> Sluice:
    """Run `./sluice` with these arguments on the fake cloud."""
    monkeypatch.setattr(shared.cloud, "connect", lambda *_: cloud)

    def run(*arguments: str) -> Done:
        capsys.readouterr()
        code = main(arguments)
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture
def send(cloud: FakeCloud, uploaded: Uploaded) -> Send:
    """Upload a file, and dispatch it."""

    def upload(name: str, data: bytes) -> File:
        file = uploaded(name, data)
        pipeline.dispatch(message(file), cloud)
        return file

    return upload


@pytest.fixture
def work(cloud: FakeCloud) -> Work:
    """Deliver each task that was queued since the last call, and take it off its queue."""

    def deliver() -> None:
        while waiting := [task for queue in cloud.routes.queues for task, _ in cloud.queue.tasks(queue)]:
            for task in waiting:
                pipeline.process(task, 1, cloud)
                cloud.queue.delete(task)

    return deliver


@pytest.fixture
def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (80, 60), "teal").save(buffer, "PNG")
    return buffer.getvalue()
