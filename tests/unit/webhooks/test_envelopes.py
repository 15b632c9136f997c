"""The event that a webhook gets has the published notice's data, byte for byte, also of other releases."""

import json
from collections.abc import Callable

import pytest
from cloudevents.http import from_http

from shared import manifest
from shared.events import Notice
from shared.manifest import Manifest
from shared.model import File, Run
from shared.plan import Plan
from shared.testing import FakeCloud
from shared.webhooks import envelopes
from shared.webhooks.deliveries import Delivery
from tests.unit.plans import chain, diamond, join, plan, step
from tests.unit.test_stored_notices import RELEASES, recorded, stored
from tests.unit.webhooks.worlds import ended, pushed, with_webhooks

ALL = '[webhooks.all]\nurl = "https://all.test/"\nsecret = "secret-manager:all"\nnotices = ["job", "step"]\n'


def cut(delivery: Delivery, cloud: FakeCloud) -> Notice | None:
    found = [manifest.read(json.loads(cloud.results.read(name) or b"")) for name in delivery.manifests]
    return envelopes.notice(delivery, [one for one in found if isinstance(one, Manifest)])


@pytest.mark.usefixtures("script")
@pytest.mark.parametrize("run", [0, 1])
@pytest.mark.parametrize(
    "steps", [plan(step("a")), chain(), join(), diamond(), Plan()], ids=["one", "chain", "join", "diamond", "none"]
)
def test_a_notice_is_cut_as_it_was_published(cloud: FakeCloud, uploaded: Callable[..., File], steps: Plan, run: int) -> None:
    with_webhooks(cloud, ALL)
    cat = uploaded("ünï.jpg", b"cat", "image/jpeg", {"odd": "\udcff"})
    published = ended(cloud, Run(cat, run), steps)
    found = pushed(cloud, published)

    assert {one.event for one in found} == {one.attributes["ce-id"] for one in published}
    for delivery in found:
        (notice,) = {one.data: one for one in published if one.attributes["ce-id"] == delivery.event}.values()
        assert cut(delivery, cloud) == notice


@pytest.mark.parametrize("release", ["older", "newer"])
def test_a_notice_of_another_release_is_cut_as_that_published_it(cloud: FakeCloud, release: str) -> None:
    with_webhooks(cloud, ALL)
    stored(RELEASES / release, cloud)
    published = recorded(RELEASES / release)
    found = pushed(cloud, published)

    assert len(found) == len({one.attributes["ce-id"] for one in published}) > 1
    assert [cut(one, cloud) for one in found] == [
        next(notice for notice in published if notice.attributes["ce-id"] == one.event) for one in found
    ]


def test_the_body_is_a_cloudevent_with_the_data_as_they_are() -> None:
    attributes = {
        "ce-specversion": "1.0",
        "ce-type": "sluice.step.finished.v1",
        "ce-id": "job-1-digest",
        "ce-source": "//storage.googleapis.com/uploads",
        "ce-subject": "job-1",
        "ce-time": "2026-11-28T07:46:57.902Z",
        "content-type": "application/json",
        "verdict": "succeeded",
        "step": "digest",
        "bucket": "uploads",
        "name": "ünï.txt",
    }
    body = envelopes.body(Notice(b'{"size":1.50, "name":"\\udcff"}', attributes))

    assert (
        body
        == (
            '{"bucket":"uploads","datacontenttype":"application/json","id":"job-1-digest","name":"ünï.txt",'
            '"source":"//storage.googleapis.com/uploads","specversion":"1.0","step":"digest","subject":"job-1",'
            '"time":"2026-11-28T07:46:57.902Z","type":"sluice.step.finished.v1","verdict":"succeeded",'
            '"data":{"size":1.50, "name":"\\udcff"}}'
        ).encode()
    )
    event = from_http({"content-type": envelopes.CONTENT_TYPE}, body)
    assert (event["id"], event["step"], event.data) == ("job-1-digest", "digest", {"size": 1.5, "name": "\udcff"})


def test_manifests_without_the_notice_give_none(cloud: FakeCloud) -> None:
    manifests = stored(RELEASES / "older", cloud)

    assert envelopes.notice(Delivery("all", "step", "another-id", (), 0), manifests) is None
    assert envelopes.notice(Delivery("all", "job", "another-id", (), 0), manifests) is None
    assert envelopes.notice(Delivery("all", "job", "another-id", (), 0), []) is None


def test_the_event_of_a_test_names_the_webhook() -> None:
    delivery = Delivery("orders", "test", "test-1", (), 1_795_852_017)
    event = from_http(
        {"content-type": envelopes.CONTENT_TYPE},
        envelopes.test(delivery, "//storage.googleapis.com/uploads", "2026-11-28T00:00:00Z"),
    )

    assert (event["type"], event["id"], event["subject"]) == ("sluice.webhook.test.v1", "test-1", "orders")
    assert event.data["webhook"] == "orders"
