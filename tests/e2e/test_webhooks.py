"""The stack posts notices to two receivers. One answers 410, is paused, and gets the rest when it is resumed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from google.cloud.storage import Client
from standardwebhooks import Webhook as Official

from shared import settings as configuration
from shared.cloud import GoogleCloud
from tests.conftest import DATA, ENVIRONMENT, PIPELINE
from tests.eventually import eventually
from tests.machine import Machine, running, variables
from tests.receivers import SECRET, Posted, Receiver, receiving

STEPS = 'notices = ["job", "step"]\nverdicts = ["succeeded"]'


class Running(NamedTuple):
    """The stack and its receivers. The secret of `willing` is in a file of the stack, that of `gone` in a variable."""

    machine: Machine
    willing: Receiver
    gone: Receiver

    def secret(self) -> str:
        """The one that the stack made."""
        return (self.machine.data / "secrets" / "willing" / "value").read_text().strip()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Running]:
    pipeline = tmp_path / "pipeline.toml"
    with receiving(Receiver()) as willing, receiving(Receiver(410)) as gone:
        tables = willing.toml("willing", "secret-manager:willing", STEPS) + gone.toml("gone")
        pipeline.write_text(PIPELINE.read_text() + tables)
        with variables({"SLUICE_PIPELINE": str(pipeline), "SLUICE_SECRET_TEST": SECRET}):
            machine = Machine(tmp_path / "stack")
            with running(machine):
                yield Running(machine, willing, gone)


def ids(posted: list[Posted]) -> set[str]:
    return {one.id for one in posted}


def test_each_receiver_gets_its_notices_and_a_paused_one_those_it_missed(stack: Running) -> None:
    machine, willing, gone = stack
    with variables(machine.environment):
        cloud = GoogleCloud(configuration.load(ENVIRONMENT | machine.environment))
        Client(project="local-project").bucket("uploads").blob("photo.jpg").upload_from_filename(DATA / "photo.jpg")
        eventually(lambda: len(ids(willing.posted)) == 3, "notices of the job and two steps")
        eventually(lambda: cloud.queue.state("webhook-gone").is_paused, "the pause")

        events = [Official(stack.secret()).verify(one.body, dict(one.headers)) for one in willing.posted]
        (job,) = {json.dumps(one) for one in events if one["type"] == "sluice.job.finished.v1"}
        assert {one["name"] for one in events} == {"photo.jpg"}
        assert {one.get("step") for one in events} == {None, "digest", "thumbnails"}
        assert not cloud.queue.state("webhook-willing").is_paused

        gone.status = 204
        cloud.queue.resume("webhook-gone")
        eventually(lambda: gone.took, "the notice that was kept")
    last = gone.posted[-1]
    assert gone.took == [json.loads(job)["id"]]
    assert Official(SECRET).verify(last.body, dict(last.headers)) == json.loads(job)
