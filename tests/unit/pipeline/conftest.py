"""A file of a few bytes, a pipeline with one step for pictures only, and a task of it."""

import io
from collections.abc import Callable

import pytest
from PIL import Image

from shared import pipeline
from shared.model import File, Run
from shared.plan import Plan, Task
from shared.routes import parse
from shared.testing import FakeCloud
from tests.unit.pipeline.calls import Uploaded, message, only_task
from tests.unit.pipelines import ONLY_PICTURES

Enlist = Callable[[Plan], list[Task]]


@pytest.fixture
def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (80, 60), "teal").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def cloud(cloud: FakeCloud) -> FakeCloud:
    cloud.routes = parse(ONLY_PICTURES)
    return cloud


@pytest.fixture
def task(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> Task:
    pipeline.dispatch(message(uploaded("cat.png", picture)), cloud)
    return only_task(cloud)


@pytest.fixture
def cat(uploaded: Uploaded) -> File:
    return uploaded("cat.jpg", b"meow")


@pytest.fixture
def enlist(cloud: FakeCloud, cat: File) -> Enlist:
    """Enlist the file under a plan made by hand; the tasks that are queued then."""

    def enlisted(plan: Plan) -> list[Task]:
        pipeline.enlist(Run(cat), plan, cloud)
        return list(cloud.queue.added.values())

    return enlisted
