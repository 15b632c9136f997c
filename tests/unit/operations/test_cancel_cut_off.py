"""A request to cancel that is cut off at any write is healed, by the operator or by the queues."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from shared import pipeline
from shared.model import File
from shared.operations.cancel import cancel
from shared.plan import Plan
from shared.testing import FakeCloud
from tests.unit.operations.jobs import Planned, enlist, entries, waiting
from tests.unit.pipeline.calls import bytes_by_id, told, verdicts
from tests.unit.plans import Script, chain, diamond, join


class Cut(Exception):
    """The end of the process."""


@dataclass
class Mortal:
    """A part of the cloud whose process ends at a call of a writing method, before or after it."""

    part: Any
    left: list[int]
    is_after: bool
    writes: set[str] = field(default_factory=lambda: {"create", "publish", "add", "delete"})

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.part, name)
        if name not in self.writes:
            return found

        def call(*arguments: Any, **options: Any) -> Any:
            self.left[0] -= 1
            if self.left[0] == 0 and not self.is_after:
                raise Cut
            result = found(*arguments, **options)
            if self.left[0] == 0:
                raise Cut
            return result

        return call


def cut_off(cloud: FakeCloud, writes: int, is_after: bool) -> bool:
    """Cancel, and end the process at this write; False when the request needed fewer."""
    parts = ("results", "completions", "queue")
    whole = {name: getattr(cloud, name) for name in parts}
    left = [writes]
    for name in parts:
        setattr(cloud, name, Mortal(whole[name], left, is_after))
    try:
        cancel("cat.jpg", cloud)
        return False
    except Cut:
        return True
    finally:
        for name in parts:
            setattr(cloud, name, whole[name])


def deliver_the_rest(cloud: FakeCloud) -> None:
    """Deliver every task that waits, also those that are queued meanwhile, as a second delivery."""
    delivered: list[str] = []
    while left := [name for name in cloud.queue.added if name not in {*delivered, *cloud.queue.deleted}]:
        delivered.append(left[0])
        pipeline.process(cloud.queue.added[left[0]], 2, cloud)


@pytest.mark.parametrize("steps", [chain, join, diamond])
@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("heal", [lambda cloud: cancel("cat.jpg", cloud), deliver_the_rest], ids=["operator", "queue"])
def test_a_request_that_was_cut_off_is_healed(
    cloud: FakeCloud,
    cat: File,
    planned: Planned,
    script: Script,
    steps: Callable[[], Plan],
    is_after: bool,
    heal: Callable[[FakeCloud], object],
) -> None:
    enlist(steps(), cloud, cat, planned)
    before = dict(cloud.queue.added), dict(cloud.results.versions)
    for writes in count(1):
        cloud.queue.added, cloud.results.versions = dict(before[0]), dict(before[1])
        cloud.queue.deleted, cloud.completions.notices = set(), []
        is_cut = cut_off(cloud, writes, is_after)
        heal(cloud)

        assert set(verdicts(cloud)) == {step.name for step in steps().steps}
        assert (set(told(cloud)), len(entries(cloud))) == ({*verdicts(cloud), "job"}, 1)
        assert bytes_by_id(cloud)
        assert heal is deliver_the_rest or waiting(cloud) == []
        if not is_cut:
            break
    assert writes > 4
