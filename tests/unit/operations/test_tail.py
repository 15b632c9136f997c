"""Notices as they come."""

from itertools import islice

import pytest

from shared.errors import Unavailable
from shared.events import Notice
from shared.model import File, Run
from shared.operations.tail import tail
from shared.pipeline import enlist
from shared.plan import Plan
from shared.testing import FakeCloud
from tests.unit.pipeline.calls import deliver_all
from tests.unit.plans import Script, chain


def test_notices_come_from_the_start_of_the_tail_on(cloud: FakeCloud, cat: File, script: Script) -> None:
    enlist(Run(cat, 1), Plan(), cloud)  # before
    with tail(cloud) as notices:
        enlist(Run(cat, 2), chain(), cloud)
        deliver_all(cloud)
        told = list(islice(notices, 3))

    assert [(one.object, one.step, one.verdict) for one in told] == [
        ("cat.jpg", "a", "succeeded"),
        ("cat.jpg", "b", "succeeded"),
        ("cat.jpg", "", "succeeded"),
    ]
    assert told[2].to_json()["id"] == Run(cat, 2).job_id


def test_the_subscription_is_gone_after_the_tail(cloud: FakeCloud) -> None:
    with tail(cloud):
        during = len(cloud.completions.subscriptions)

    assert (during, cloud.completions.subscriptions) == (1, [])


def test_the_subscription_is_gone_after_an_error(cloud: FakeCloud) -> None:
    def watch() -> None:
        with tail(cloud) as notices:
            cloud.completions.broken = True
            next(notices)

    with pytest.raises(Unavailable):
        watch()
    assert cloud.completions.subscriptions == []


def test_messages_of_others_are_passed_over(cloud: FakeCloud, cat: File) -> None:
    with tail(cloud) as notices:
        cloud.completions.publish(Notice(b"hello", {"who": "else"}))
        enlist(Run(cat), Plan(), cloud)

        assert next(notices).reason == "no_route"
