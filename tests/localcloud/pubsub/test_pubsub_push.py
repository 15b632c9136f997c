"""Push: the requests to an endpoint, and the effects of its answers."""

from typing import Any

import pytest
from google.auth import jwt

from localcloud.pubsub.model import Delivery
from tests.eventually import eventually
from tests.localcloud.pubsub.world import World
from tests.localcloud.target import Target
from tests.ports import free_port

ACCOUNT = "push@local-project.iam.gserviceaccount.com"


def subscribe(world: World, endpoint: Target, **settings: object) -> tuple[str, str]:
    """A topic and a subscription that pushes to the endpoint."""
    topic = world.topic("uploads")
    push = {"push_endpoint": f"{endpoint.url}/push", **settings.pop("push", {})}  # type: ignore[dict-item]
    return topic, world.subscription("dispatcher", topic, push_config=push, **settings)


def test_a_message_arrives_wrapped_in_json(world: World, endpoint: Target) -> None:
    topic, subscription = subscribe(world, endpoint)
    id_ = world.publish(topic, b"hello", kind="a")

    [pushed] = endpoint.wait_for(1)
    envelope = pushed.envelope
    published = envelope["message"]["publishTime"]
    content = {"data": "aGVsbG8=", "attributes": {"kind": "a"}, "messageId": id_, "message_id": id_}
    assert envelope["message"] == content | {"publishTime": published, "publish_time": published}
    assert envelope["subscription"] == subscription
    assert "deliveryAttempt" not in envelope
    assert pushed.headers["content-type"] == "application/json"
    assert "authorization" not in pushed.headers


@pytest.mark.parametrize("audience", ["", "https://audience.test"])
def test_a_push_carries_a_token_of_its_account(world: World, endpoint: Target, audience: str) -> None:
    topic, _ = subscribe(world, endpoint, push={"oidc_token": {"service_account_email": ACCOUNT, "audience": audience}})
    world.publish(topic, b"x")

    [pushed] = endpoint.wait_for(1)
    scheme, token = pushed.headers["authorization"].split()
    expected = audience or f"{endpoint.url}/push"
    claims = jwt.decode(token, certs=world.accounts.certificates(), audience=expected)
    assert (scheme, claims["email"], claims["email_verified"]) == ("Bearer", ACCOUNT, True)


@pytest.mark.parametrize("status", [102, 200, 201, 202, 204])
def test_these_statuses_acknowledge(turned: World, endpoint: Target, status: int) -> None:
    endpoint.status = status
    topic, _ = subscribe(turned, endpoint)
    turned.publish(topic, b"1")
    endpoint.wait_for(1)
    turned.publish(topic, b"2")
    endpoint.wait_for(2)
    eventually(lambda: not backlog(turned), "the acknowledgement of both messages")
    turned.turn(700)

    assert sorted(pushed.data for pushed in endpoint.received) == [b"1", b"2"]


@pytest.mark.parametrize("status", [203, 301, 400, 404, 429, 500, 503])
def test_other_statuses_deliver_again(world: World, endpoint: Target, status: int) -> None:
    endpoint.replies = [status, status]
    topic, _ = subscribe(world, endpoint)
    world.publish(topic, b"x")

    assert [pushed.data for pushed in endpoint.wait_for(3)] == [b"x"] * 3


def test_a_push_without_answer_is_repeated_after_the_deadline(turned: World, endpoint: Target) -> None:
    endpoint.gate.clear()
    topic, _ = subscribe(turned, endpoint, ack_deadline_seconds=20)
    turned.publish(topic, b"x")
    endpoint.wait_for(1)
    turned.turn(19)
    assert len(endpoint.received) == 1
    turned.turn(2)

    assert [pushed.data for pushed in endpoint.wait_for(2)] == [b"x"] * 2


def test_a_new_endpoint_gets_the_messages_of_a_failed_one(world: World, endpoint: Target) -> None:
    port = free_port()
    topic, subscription = subscribe(world, Target(url=f"http://127.0.0.1:{port}"))
    world.publish(topic, b"x")
    config = {"push_endpoint": endpoint.url}
    world.subscriber.modify_push_config(subscription=subscription, push_config=config)

    assert endpoint.wait_for(1)[0].data == b"x"


def test_the_retry_policy_spaces_attempts(turned: World, endpoint: Target) -> None:
    endpoint.status = 500
    retry = {"minimum_backoff": {"seconds": 10}, "maximum_backoff": {"seconds": 25}}
    topic, _ = subscribe(turned, endpoint, retry_policy=retry)
    turned.publish(topic, b"x")
    endpoint.wait_for(1)
    for attempts, delay in ((2, 10), (3, 20), (4, 25), (5, 25)):
        eventually(lambda: is_resting(turned), "the return of the message")
        turned.turn(delay - 0.5)
        assert len(endpoint.received) == attempts - 1
        turned.turn(0.6)
        endpoint.wait_for(attempts)


def is_resting(world: World) -> bool:
    """Whether the one message of the one subscription waits for its next attempt."""
    [delivery] = backlog(world)
    return delivery.holder is None


def backlog(world: World) -> list[Delivery]:
    """The unacknowledged deliveries of the one subscription."""
    [subscription] = world.service._broker.subscriptions.values()
    return list(subscription.backlog.deliveries.values())


def test_a_message_that_always_fails_becomes_a_dead_letter(world: World, endpoint: Target) -> None:
    dead = world.topic("dead-letters")
    grave = world.subscription("dead-letters", dead)
    endpoint.status = 500
    retry: dict[str, Any] = {"minimum_backoff": {}, "maximum_backoff": {}}
    policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
    topic, _ = subscribe(world, endpoint, dead_letter_policy=policy, retry_policy=retry)
    world.publish(topic, b"poison", kind="a")

    [received] = world.pull(grave)
    attributes = dict(received.message.attributes)
    assert received.message.data == b"poison"
    assert attributes.pop("CloudPubSubDeadLetterSourceTopicPublishTime").endswith("+00:00")
    assert attributes == {
        "kind": "a",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
        "CloudPubSubDeadLetterSourceSubscription": "dispatcher",
        "CloudPubSubDeadLetterSourceSubscriptionProject": "local-project",
    }
    assert [pushed.envelope["deliveryAttempt"] for pushed in endpoint.received] == [1, 2, 3, 4, 5]


def test_without_a_dead_letter_topic_pushes_continue(world: World, endpoint: Target) -> None:
    endpoint.replies = [500] * 6
    policy = {"dead_letter_topic": world.topic("dead-letters"), "max_delivery_attempts": 5}
    retry: dict[str, Any] = {"minimum_backoff": {}, "maximum_backoff": {}}
    topic, _ = subscribe(world, endpoint, dead_letter_policy=policy, retry_policy=retry)
    world.publisher.delete_topic(topic=policy["dead_letter_topic"])
    world.publish(topic, b"x")

    assert endpoint.wait_for(7)[-1].envelope["deliveryAttempt"] == 7


def test_an_unwrapped_message_is_the_body_and_its_metadata_headers(world: World, endpoint: Target) -> None:
    topic, subscription = subscribe(
        world, endpoint, push={"no_wrapper": {"write_metadata": True}}, enable_message_ordering=True
    )
    id_ = world.publish(topic, b"raw", "key", **{"ce-type": "a", "bad name": "x", "two": "a\nb"})

    [pushed] = endpoint.wait_for(1)
    assert pushed.body == b"raw"
    assert pushed.headers["x-goog-pubsub-message-id"] == id_
    assert pushed.headers["x-goog-pubsub-subscription-name"] == subscription
    assert pushed.headers["x-goog-pubsub-ordering-key"] == "key"
    assert pushed.headers["ce-type"] == "a"
    assert not {"bad name", "two"} & set(pushed.headers)


def test_ordered_messages_are_pushed_one_at_a_time(world: World, endpoint: Target) -> None:
    endpoint.replies = [500]
    topic, _ = subscribe(world, endpoint, enable_message_ordering=True)
    for number in range(5):
        world.publish(topic, b"%d" % number, "key")

    data = [pushed.data for pushed in endpoint.wait_for(6)]
    assert data == [b"0", b"0", b"1", b"2", b"3", b"4"]
    assert endpoint.most_at_once == 1


def test_concurrent_pushes_grow_from_a_slow_start(world: World, endpoint: Target) -> None:
    topic, _ = subscribe(world, endpoint)
    endpoint.gate.clear()
    for number in range(30):
        world.publish(topic, b"%d" % number)
    few = len(endpoint.wait_for(4))
    endpoint.gate.set()
    endpoint.wait_for(30)

    assert few == 4
    assert len({pushed.data for pushed in endpoint.received}) == 30


def test_a_push_subscription_cannot_be_pulled(world: World, endpoint: Target) -> None:
    _, subscription = subscribe(world, endpoint)

    with pytest.raises(Exception, match="not supported for this subscription type"):
        world.pull(subscription)
