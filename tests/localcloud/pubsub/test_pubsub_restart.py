"""`kill -9` of the process loses no published message and no acknowledgement."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud.pubsub_v1.types import PubsubMessage
from google.pubsub_v1.services.publisher import PublisherClient as PublisherApi

from tests.eventually import eventually
from tests.localcloud.pubsub.world import PROJECT, Clients, connected
from tests.localcloud.target import Target
from tests.ports import free_port

ROOT = Path(__file__).parents[3]


@contextlib.contextmanager
def process(data: Path) -> Iterator[Clients]:
    """The service in a process, ended by `kill -9`."""
    grpc_port = free_port()
    command = [sys.executable, "-m", "tests.localcloud.pubsub.serve", str(data), str(grpc_port), str(free_port())]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout
            assert child.stdout.readline() == b"ready\n"
            with connected(grpc_port) as clients:
                yield clients
        finally:
            child.kill()


def test_a_kill_loses_no_message_and_repeats_no_acknowledged_one(tmp_path: Path) -> None:
    with process(tmp_path) as clients:
        topic = clients.topic("uploads")
        subscription = clients.subscription("sub", topic)
        sent = [clients.publish(topic, b"%d" % number) for number in range(10)]
        received = clients.pull_all(subscription, 10)
        clients.ack(subscription, received[:4])

    with process(tmp_path) as clients:
        assert sorted(each.message.message_id for each in clients.pull_all(subscription, 6)) == sorted(sent[4:])
        assert clients.pull(subscription, now=True) == []
        assert clients.publish(topic, b"new") not in sent


def test_a_kill_loses_nothing_of_a_large_batch(tmp_path: Path) -> None:
    with process(tmp_path) as clients:
        topic = clients.topic("uploads")
        subscription = clients.subscription("sub", topic)
        messages = [PubsubMessage(data=b"%d" % number + bytes(1000)) for number in range(500)]
        sent = PublisherApi.publish(clients.publisher, topic=topic, messages=messages).message_ids
        assert len(sent) == 500

    with process(tmp_path) as clients:
        received = clients.pull_all(subscription, 500)
        assert [each.message.message_id for each in received] == list(sent)
        assert [each.message.data for each in received] == [message.data for message in messages]


def test_an_ack_id_stays_valid_after_a_kill(tmp_path: Path) -> None:
    with process(tmp_path) as clients:
        topic = clients.topic("uploads")
        subscription = clients.subscription("sub", topic)
        clients.publish(topic, b"x")
        received = clients.pull(subscription)

    with process(tmp_path) as clients:
        clients.ack(subscription, received)
        assert clients.pull(subscription, now=True) == []


def test_an_ack_id_from_before_a_seek_stays_without_effect_after_a_kill(tmp_path: Path) -> None:
    with process(tmp_path) as clients:
        topic = clients.topic("uploads")
        subscription = clients.subscription("sub", topic)
        clients.publish(topic, b"x")
        received = clients.pull(subscription)
        clients.subscriber.seek(request={"subscription": subscription, "time": datetime.fromtimestamp(0, UTC)})

    with process(tmp_path) as clients:
        clients.ack(subscription, received)
        assert [each.message.data for each in clients.pull(subscription)] == [b"x"]


def test_a_push_interrupted_by_a_kill_is_repeated_and_counted(tmp_path: Path, endpoint: Target) -> None:
    endpoint.gate.clear()
    with process(tmp_path) as clients:
        topic, dead = clients.topic("uploads"), clients.topic("dead-letters")
        policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
        clients.subscription("dispatcher", topic, push_config={"push_endpoint": endpoint.url}, dead_letter_policy=policy)
        clients.publish(topic, b"x")
        endpoint.wait_for(1)

    endpoint.gate.set()
    with process(tmp_path):
        attempts = [pushed.envelope["deliveryAttempt"] for pushed in endpoint.wait_for(2)]

    assert attempts == [1, 2]


def test_snapshots_and_retained_messages_survive(tmp_path: Path) -> None:
    snapshot = f"{PROJECT}/snapshots/snap"
    with process(tmp_path) as clients:
        topic = clients.topic("uploads")
        keeping = clients.subscription("keeping", topic, retain_acked_messages=True)
        plain = clients.subscription("plain", topic)
        clients.subscriber.create_snapshot(name=snapshot, subscription=plain)
        clients.publish(topic, b"x")
        for subscription in (keeping, plain):
            clients.ack(subscription, clients.pull(subscription))

    with process(tmp_path) as clients:
        assert clients.pull(plain, now=True) == []
        clients.subscriber.seek(request={"subscription": plain, "snapshot": snapshot})
        clients.subscriber.seek(request={"subscription": keeping, "time": datetime(2020, 1, 1, tzinfo=UTC)})
        for subscription in (keeping, plain):
            received = clients.pull(subscription)
            assert [each.message.data for each in received] == [b"x"]
            clients.ack(subscription, received)

    with process(tmp_path) as clients:
        assert clients.pull(plain, now=True) == []
        assert clients.subscriber.get_snapshot(snapshot=snapshot).topic == topic


def test_topics_subscriptions_and_policies_survive(tmp_path: Path) -> None:
    with process(tmp_path) as clients:
        topic = clients.topic("uploads")
        subscription = clients.subscription("sub", topic, filter="attributes:a", ack_deadline_seconds=33)
        gone = clients.subscription("gone", topic)
        clients.subscriber.delete_subscription(subscription=gone)
        policy = {"bindings": [{"role": "roles/viewer", "members": ["user:a@example.com"]}]}
        clients.publisher.set_iam_policy(request={"resource": topic, "policy": policy})
        before = clients.subscriber.get_subscription(subscription=subscription)

    with process(tmp_path) as clients:
        assert [found.name for found in clients.publisher.list_topics(project=PROJECT)] == [topic]
        assert list(clients.subscriber.list_subscriptions(project=PROJECT)) == [before]
        assert clients.publisher.get_iam_policy(request={"resource": topic}).bindings[0].role == "roles/viewer"
        clients.publish(topic, b"filtered")
        clients.publish(topic, b"x", a="")
        assert [received.message.data for received in clients.pull(subscription)] == [b"x"]


def test_a_kill_neither_loses_nor_repeats_a_dead_letter(tmp_path: Path, endpoint: Target) -> None:
    endpoint.status = 500
    with process(tmp_path) as clients:
        topic, dead = clients.topic("uploads"), clients.topic("dead-letters")
        clients.subscription("grave", dead)
        policy = {"dead_letter_topic": dead, "max_delivery_attempts": 5}
        push = {"push_endpoint": endpoint.url}
        retry: dict[str, Any] = {"minimum_backoff": {}, "maximum_backoff": {}}
        clients.subscription("dispatcher", topic, push_config=push, dead_letter_policy=policy, retry_policy=retry)
        clients.publish(topic, b"x")
        endpoint.wait_for(5)

    with process(tmp_path) as clients:
        grave = f"{PROJECT}/subscriptions/grave"
        received = eventually(lambda: clients.pull(grave), "the dead letter")
        assert [each.message.data for each in received] == [b"x"]
        assert clients.pull(grave, now=True) == []
        assert len(endpoint.received) == 5


def test_a_detached_subscription_stays_detached_after_changes_and_a_kill(tmp_path: Path) -> None:
    with process(tmp_path) as clients:
        topic = clients.topic("uploads")
        subscription = clients.subscription("sub", topic)
        clients.publisher.detach_subscription(request={"subscription": subscription})
        change = {"name": subscription, "labels": {"a": "b"}}
        clients.subscriber.update_subscription(request={"subscription": change, "update_mask": {"paths": ["labels"]}})
        clients.subscriber.modify_push_config(subscription=subscription, push_config={})
        with pytest.raises(grpc.RpcError, match="detached"):
            clients.pull(subscription, now=True)

    with process(tmp_path) as clients:
        clients.publish(topic, b"x")
        assert clients.subscriber.get_subscription(subscription=subscription).detached
        with pytest.raises(grpc.RpcError, match="detached"):
            clients.pull(subscription, now=True)
