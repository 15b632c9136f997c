"""Dead letters are listed and shown without a loss, and replayed as they first came."""

import base64
import json

import pytest

from shared import pipeline
from shared.errors import NotFound, Unavailable
from shared.events import Notice
from shared.model import File
from shared.operations.dead_letters import letters, replay, show
from shared.testing import FakeCloud
from tests.unit.pipeline.calls import message


def as_published(notification: dict[str, object]) -> Notice:
    """The message that Cloud Storage published."""
    return Notice(base64.b64decode(str(notification["data"])), dict(notification["attributes"]))  # type: ignore[call-overload]


@pytest.fixture
def unreadable(cloud: FakeCloud, cat: File) -> dict[str, object]:
    """A message that the dispatcher put aside."""
    notification = message(cat, objectGeneration="seven")
    pipeline.dispatch(notification, cloud)
    return notification


def test_a_letter_has_its_reason_and_its_object(cloud: FakeCloud, unreadable: dict[str, object]) -> None:
    (letter,) = letters(cloud)

    assert letter.reason == "attribute objectGeneration is 'seven', not a decimal number"
    assert (letter.object, letter.original) == ("cat.jpg", as_published(unreadable))


def test_looking_at_letters_loses_none(cloud: FakeCloud, unreadable: dict[str, object]) -> None:
    first = letters(cloud)
    shown = show(first[0].id, cloud)

    assert (shown, letters(cloud)) == (first[0], first)
    assert (cloud.put_aside.leased, cloud.put_aside.acknowledged) == (set(), set())


def test_letters_come_in_pages_up_to_a_limit(cloud: FakeCloud) -> None:
    for number in range(5):
        pipeline.dead_letter(f"{number}".encode(), "unreadable", cloud)
    cloud.put_aside.page = 2

    assert [letter.original.data for letter in letters(cloud)] == [b"0", b"1", b"2", b"3", b"4"]
    assert len(letters(cloud, limit=3)) == 3
    assert cloud.put_aside.leased == set()


def test_a_letter_that_is_not_there_is_not_found(cloud: FakeCloud, unreadable: dict[str, object]) -> None:
    with pytest.raises(NotFound, match="no dead letter '99'"):
        show("99", cloud)
    assert cloud.put_aside.leased == set()


@pytest.mark.failure("T72")
def test_a_replayed_letter_is_published_as_it_first_came(cloud: FakeCloud, unreadable: dict[str, object]) -> None:
    (letter,) = letters(cloud)
    answer = replay((letter.id, "99"), cloud)

    assert cloud.notifications.notices == [as_published(unreadable)]
    assert answer.to_json() == {"replayed": [letter.id], "missing": ["99"]}
    assert letters(cloud) == ()


def test_without_an_id_all_letters_are_replayed(cloud: FakeCloud) -> None:
    for number in range(3):
        pipeline.dead_letter(b"%d" % number, "unreadable", cloud)
    replay((), cloud)

    assert [notice.data for notice in cloud.notifications.notices] == [b"0", b"1", b"2"]
    assert letters(cloud) == ()


def test_letters_that_are_not_named_stay(cloud: FakeCloud) -> None:
    for number in range(3):
        pipeline.dead_letter(b"%d" % number, "unreadable", cloud)
    replay((letters(cloud)[1].id,), cloud)

    assert [letter.original.data for letter in letters(cloud)] == [b"0", b"2"]


def test_a_letter_that_cannot_be_published_stays(cloud: FakeCloud, unreadable: dict[str, object]) -> None:
    cloud.notifications.broken = True

    with pytest.raises(Unavailable):
        replay((), cloud)
    assert len(letters(cloud)) == 1


def test_a_message_that_was_delivered_too_often_loses_what_pubsub_added(cloud: FakeCloud, cat: File) -> None:
    first = as_published(message(cat))
    added = {
        "CloudPubSubDeadLetterSourceDeliveryCount": "20",
        "CloudPubSubDeadLetterSourceSubscription": "dispatcher",
        "googclient_x": "1",
    }
    cloud.dead_letters.publish(Notice(first.data, {**first.attributes, **added}))
    (letter,) = letters(cloud)

    assert letter.reason == "delivered 20 times to dispatcher without success"
    assert letter.original == first


@pytest.mark.parametrize(
    "body", [b"not json", b"[1]", b'{"data": "?"}', b'{"message": 1}', b'{"data": 1}', b'{"attributes": 1}']
)
def test_bytes_that_are_no_message_are_replayed_as_they_are(cloud: FakeCloud, body: bytes) -> None:
    pipeline.dead_letter(body, "unreadable", cloud)

    assert letters(cloud)[0].original == Notice(body, {})


def test_a_whole_push_is_unwrapped(cloud: FakeCloud, cat: File) -> None:
    notification = message(cat)
    pipeline.dead_letter(json.dumps({"message": notification, "subscription": "s"}).encode(), "unreadable", cloud)

    assert letters(cloud)[0].original == as_published(notification)


def test_a_message_without_anything_can_be_published_all_the_same(cloud: FakeCloud) -> None:
    pipeline.dispatch({"attributes": {}, "data": ""}, cloud)

    assert letters(cloud)[0].original == Notice(b"(empty)", {})


def test_a_letter_in_json_has_its_bytes_in_base64(cloud: FakeCloud, unreadable: dict[str, object]) -> None:
    shown = letters(cloud)[0].to_json()

    assert shown["data"] == unreadable["data"]
    assert (shown["object"], shown["attributes"]["objectGeneration"]) == ("cat.jpg", "seven")
