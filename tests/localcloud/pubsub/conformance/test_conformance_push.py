"""Push: the requests to an endpoint, and the effects of its answers."""

import contextlib
from typing import Any

import pytest

from tests.eventually import eventually
from tests.localcloud.pubsub.world import Clients
from tests.localcloud.target import Target, listening
from tests.ports import free_port

#: The emulator pushes again after a second.
REST_SECONDS = 1.5
RETRY = {"minimum_backoff": {"seconds": 1}, "maximum_backoff": {"seconds": 1}}


def subscribe(clients: Clients, endpoint: Target, **settings: Any) -> tuple[str, str]:
    """A topic and a subscription that pushes to the endpoint."""
    topic = clients.topic("uploads")
    push = {"push_endpoint": f"{endpoint.url}/push", **settings.pop("push", {})}
    return topic, clients.subscription("dispatcher", topic, push_config=push, **settings)


def test_a_message_arrives_wrapped_in_json(clients: Clients, endpoint: Target) -> None:
    topic, subscription = subscribe(clients, endpoint)
    id_ = clients.publish(topic, b"hello", kind="a")

    [pushed] = endpoint.wait_for(1)
    message = pushed.envelope["message"]
    assert pushed.envelope["subscription"] == subscription
    assert (pushed.data, message["attributes"]) == (b"hello", {"kind": "a"})
    assert (message["messageId"], message["message_id"]) == (id_, id_)
    assert message["publishTime"] == message["publish_time"]
    assert pushed.headers["content-type"].startswith("application/json")
    assert "deliveryAttempt" not in pushed.envelope


@pytest.mark.parametrize("statuses", [(200, 201, 204), (102, 202)], ids=["some", "others"])
def test_these_statuses_acknowledge(clients: Clients, statuses: tuple[int, ...]) -> None:
    topic = clients.topic("uploads")
    with contextlib.ExitStack() as stack:
        endpoints = [stack.enter_context(listening()) for _ in statuses]
        for status, endpoint in zip(statuses, endpoints, strict=True):
            endpoint.status = status
            config = {"push_endpoint": endpoint.url}
            clients.subscription(f"answers-{status}", topic, push_config=config, retry_policy=RETRY)
        clients.publish(topic, b"x")
        for endpoint in endpoints:
            endpoint.wait_for(1)

        with pytest.raises(AssertionError, match="in vain"):
            eventually(lambda: any(len(endpoint.received) > 1 for endpoint in endpoints), "a second push", seconds=REST_SECONDS)


def test_other_statuses_deliver_again(clients: Clients, endpoint: Target) -> None:
    endpoint.replies = [500, 301]
    topic, _ = subscribe(clients, endpoint)
    clients.publish(topic, b"x")

    assert [pushed.data for pushed in endpoint.wait_for(3)] == [b"x"] * 3


def test_an_unwrapped_message_is_the_body_and_its_metadata_headers(clients: Clients, endpoint: Target) -> None:
    topic, subscription = subscribe(clients, endpoint, push={"no_wrapper": {"write_metadata": True}})
    id_ = clients.publish(topic, b"raw", kind="a")

    [pushed] = endpoint.wait_for(1)
    assert (pushed.body, pushed.headers["kind"]) == (b"raw", "a")
    assert pushed.headers["x-goog-pubsub-message-id"] == id_
    assert pushed.headers["x-goog-pubsub-subscription-name"] == subscription
    assert pushed.headers["x-goog-pubsub-publish-time"]


def test_an_unwrapped_message_without_metadata_is_only_the_body(clients: Clients, endpoint: Target) -> None:
    topic, _ = subscribe(clients, endpoint, push={"no_wrapper": {}})
    clients.publish(topic, b"raw", kind="a")

    [pushed] = endpoint.wait_for(1)
    assert pushed.body == b"raw"
    assert not [name for name in pushed.headers if name.startswith("x-goog-pubsub") or name == "kind"]


def test_an_unwrapped_message_has_no_form_content_type(clients: Clients, endpoint: Target) -> None:
    topic, _ = subscribe(clients, endpoint, push={"no_wrapper": {}})
    clients.publish(topic, b"raw")

    assert "form" not in endpoint.wait_for(1)[0].headers["content-type"]


def test_a_push_carries_a_token_of_its_account(clients: Clients, endpoint: Target) -> None:
    account = "push@local-project.iam.gserviceaccount.com"
    topic, _ = subscribe(clients, endpoint, push={"oidc_token": {"service_account_email": account}})
    clients.publish(topic, b"x")

    assert endpoint.wait_for(1)[0].headers.get("authorization", "").startswith("Bearer ")


def test_a_push_contains_the_ordering_key(clients: Clients, endpoint: Target) -> None:
    topic, _ = subscribe(clients, endpoint, enable_message_ordering=True)
    clients.publish(topic, b"x", "key")

    assert endpoint.wait_for(1)[0].envelope["message"].get("orderingKey") == "key"


def test_a_push_contains_the_counted_attempt(clients: Clients, endpoint: Target) -> None:
    policy = {"dead_letter_topic": clients.topic("dead-letters"), "max_delivery_attempts": 5}
    topic, _ = subscribe(clients, endpoint, dead_letter_policy=policy)
    clients.publish(topic, b"x")

    assert endpoint.wait_for(1)[0].envelope.get("deliveryAttempt") == 1


def test_a_new_endpoint_takes_over_at_once(clients: Clients, endpoint: Target) -> None:
    topic, subscription = subscribe(clients, Target(url=f"http://127.0.0.1:{free_port()}"))
    clients.publish(topic, b"x")
    clients.subscriber.modify_push_config(subscription=subscription, push_config={"push_endpoint": endpoint.url})

    assert endpoint.wait_for(1)[0].data == b"x"


def test_without_an_endpoint_a_subscription_is_pulled(clients: Clients, endpoint: Target) -> None:
    topic, subscription = subscribe(clients, endpoint)
    clients.subscriber.modify_push_config(subscription=subscription, push_config={})
    clients.publish(topic, b"x")

    assert clients.pull(subscription)[0].message.data == b"x"
    assert endpoint.received == []


def test_a_push_subscription_cannot_be_pulled(clients: Clients, endpoint: Target) -> None:
    _, subscription = subscribe(clients, endpoint)

    with pytest.raises(Exception, match="FAILED_PRECONDITION"):
        clients.pull(subscription, now=True)
