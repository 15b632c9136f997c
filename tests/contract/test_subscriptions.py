"""The properties of subscriptions that operators rely on."""

import uuid
from collections.abc import Callable, Iterator
from itertools import islice

import pytest
from google.cloud.pubsub_v1 import SubscriberClient

from localcloud.address import PROJECT
from shared.cloud import pubsub
from shared.cloud.protocols import Cloud, Received, Subscription
from shared.errors import Unavailable
from shared.events import Notice
from shared.operations import dead_letters
from shared.operations.tail import tail
from tests.eventually import eventually
from tests.machine import Machine, variables

WAIT_SECONDS = 5


@pytest.fixture
def subscription(cloud: Cloud) -> Iterator[Subscription]:
    made = cloud.completions.subscribe()
    yield made
    made.delete()


def notice() -> Notice:
    """A message like no other."""
    return Notice(b"words", {"ce-id": uuid.uuid4().hex})


def pulled(subscription: Subscription, count: int) -> list[Received]:
    """So many messages, once they have come."""
    found: list[Received] = []

    def look() -> bool:
        found.extend(subscription.pull(WAIT_SECONDS))
        return len(found) >= count

    eventually(look, f"{count} messages")
    return found


def test_a_subscription_gets_what_is_published_after_it(cloud: Cloud) -> None:
    cloud.completions.publish(notice())
    subscription = cloud.completions.subscribe()
    later = notice()
    cloud.completions.publish(later)
    found = pulled(subscription, 1)
    subscription.delete()

    assert [(one.data, dict(one.attributes)) for one in found] == [(later.data, dict(later.attributes))]
    assert found[0].id
    assert found[0].published.endswith("Z")


def test_a_leased_message_comes_again_only_when_it_is_released(cloud: Cloud, subscription: Subscription) -> None:
    cloud.completions.publish(notice())
    first = pulled(subscription, 1)
    meanwhile = subscription.pull(0.3)
    subscription.release(first)
    again = pulled(subscription, 1)

    assert list(meanwhile) == []
    assert [one.id for one in again] == [one.id for one in first]


def test_more_messages_than_one_request_takes_are_released(
    monkeypatch: pytest.MonkeyPatch, cloud: Cloud, subscription: Subscription
) -> None:
    monkeypatch.setattr(pubsub, "MAX_MESSAGES", 2)
    cloud.completions.publish(*(notice() for _ in range(5)))
    first = pulled(subscription, 5)
    subscription.release(first)
    again = pulled(subscription, 5)
    subscription.acknowledge(again)

    assert {one.id for one in again} == {one.id for one in first}
    assert list(subscription.pull(0.3)) == []


def test_an_acknowledged_message_does_not_come_again(cloud: Cloud, subscription: Subscription) -> None:
    cloud.completions.publish(notice())
    first = pulled(subscription, 1)
    subscription.acknowledge(first)
    subscription.release(first)

    assert list(subscription.pull(0.3)) == []


def test_nothing_to_acknowledge_or_release_is_no_error(subscription: Subscription) -> None:
    subscription.acknowledge([])
    subscription.release([])

    assert list(subscription.pull(0.3)) == []


def test_a_subscription_is_deleted_again_and_again(cloud: Cloud) -> None:
    subscription = cloud.completions.subscribe()
    subscription.delete()

    subscription.delete()


@pytest.mark.parametrize(
    "call",
    [lambda it: it.pull(1), lambda it: it.acknowledge([Received("1", "", b"", {}, "x")])],
    ids=["pull", "acknowledge"],
)
def test_a_subscription_that_is_gone_is_unavailable(real: Cloud, call: Callable[[Subscription], object]) -> None:
    subscription = real.completions.subscribe()
    subscription.delete()

    with pytest.raises(Unavailable, match="completions-tail-"):
        call(subscription)


def test_a_tail_that_is_killed_expires_after_a_day(machine: Machine, real: Cloud) -> None:
    with variables(machine.environment):
        client = SubscriberClient()
    with tail(real), client:
        found = client.list_subscriptions(project=f"projects/{PROJECT}")
        (made,) = [one for one in found if "/completions-tail-" in one.name]

    assert made.expiration_policy.ttl.total_seconds() == 86400
    assert made.message_retention_duration.total_seconds() == 600


def test_a_tail_takes_nothing_from_other_subscriptions(real: Cloud) -> None:
    other = real.completions.subscribe()
    wanted = notice()
    body = b'{"verdict": "failed", "reason": "corrupt", "file": {"name": "cat.jpg"}}'
    with tail(real) as notices:
        real.completions.publish(Notice(body, {**wanted.attributes, "ce-type": "t", "ce-time": "now"}))
        (told,) = islice(notices, 1)
    found = pulled(other, 1)
    other.delete()

    assert (told.object, told.verdict, told.reason) == ("cat.jpg", "failed", "corrupt")
    assert [one.attributes["ce-id"] for one in found] == [told.id]


def test_a_dead_letter_is_listed_shown_and_replayed(monkeypatch: pytest.MonkeyPatch, real: Cloud) -> None:
    monkeypatch.setattr(dead_letters, "WAIT_SECONDS", 0.5)
    reason = uuid.uuid4().hex
    real.dead_letters.publish(Notice(b'{"attributes": {"eventType": "OTHER"}}', {"reason": reason}))
    listed = [eventually(lambda: [one for one in dead_letters.letters(real) if one.reason == reason]) for _ in range(2)]
    (letter,) = listed[0]
    shown = dead_letters.show(letter.id, real)
    seen = real.notifications.subscribe()
    replayed = dead_letters.replay((letter.id,), real)
    found = pulled(seen, 1)
    seen.delete()

    assert listed == [[letter], [letter]]
    assert (shown, replayed.letters) == (letter, (letter,))
    assert [dict(one.attributes) for one in found] == [{"eventType": "OTHER"}]
    assert letter not in dead_letters.letters(real)
