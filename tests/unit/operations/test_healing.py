"""Healing one run: what keeps it from being queued again."""

import pytest

from shared import index, pipeline
from shared.model import File, Run
from shared.operations import healing
from shared.operations.rerun import rerun
from shared.testing import FakeCloud
from tests.unit.operations.jobs import Planned, waiting
from tests.unit.plans import Script, chain, join, plan, step
from tests.unit.working import work

#: The numbers of the sweeps that may have queued it; the last is that of this sweep.
SWEEPS = (5, 6)


@pytest.fixture(autouse=True)
def _planned(planned: Planned, script: Script) -> None:
    planned(chain())


def heal(cat: File, cloud: FakeCloud) -> str:
    return healing.upload(cat, SWEEPS, cloud, cloud.queue.paused.__contains__)


def test_a_task_that_has_ended_is_not_waited_for(cloud: FakeCloud, cat: File) -> None:
    work(chain(), cloud, cat, "0-q1")
    del cloud.queue.added[next(name for name in cloud.queue.added if name.startswith("q2"))]
    assert waiting(cloud) == ["0-q1"]

    assert heal(cat, cloud) == "queued"
    assert waiting(cloud) == ["0-q1", "1-q2"]


def test_a_paused_queue_whose_task_has_ended_does_not_matter(cloud: FakeCloud, cat: File) -> None:
    work(chain(), cloud, cat, "0-q1")
    cloud.queue.added.clear()
    cloud.queue.pause("q1")

    assert heal(cat, cloud) == "queued"


def test_one_paused_queue_of_several_keeps_it_from_all(cloud: FakeCloud, cat: File, planned: Planned) -> None:
    planned(join())
    cloud.queue.pause("q2")

    assert (heal(cat, cloud), waiting(cloud)) == ("paused", [])


def test_the_tasks_of_the_plan_that_stands_are_looked_for(cloud: FakeCloud, cat: File, planned: Planned) -> None:
    pipeline.enlist(Run(cat), join(), cloud)
    planned(plan(step("another", "q3")))

    assert (heal(cat, cloud), waiting(cloud)) == ("waiting", ["0-q1", "0-q2"])


def test_a_claim_whose_task_waits_or_whose_queue_is_paused_is_left_alone(cloud: FakeCloud, cat: File) -> None:
    work(chain(), cloud, cat)
    rerun(Run(cat), chain(), "request", cloud, fresh=True)
    (claim,) = index.claims(cloud.results, Run(cat))

    assert healing.claim(claim, SWEEPS, cloud, cloud.queue.paused.__contains__) == "waiting"
    cloud.queue.added.clear()
    cloud.queue.pause("q1")
    assert healing.claim(claim, SWEEPS, cloud, cloud.queue.paused.__contains__) == "paused"
    assert cloud.queue.added == {}
