"""Faults planted from the command line, and their effects on real clients of a running local cloud."""

import argparse
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from http.client import HTTPResponse

import grpc
import pytest
from google.api_core import exceptions
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.cloud.storage import Bucket, Client
from google.cloud.tasks_v2 import CloudTasksClient
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport
from google.pubsub_v1 import PublisherClient as PublisherApi
from google.pubsub_v1 import PubsubMessage

from localcloud.address import HOST, Ports
from localcloud.faults import command
from tests.eventually import eventually
from tests.machine import ROOT, Machine, running, variables

Plant = Callable[..., str]
TOPIC = "projects/local-project/topics/fault-tests"
SUBSCRIPTION = "projects/local-project/subscriptions/fault-tests"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with running(Machine(tmp_path_factory.mktemp("faults"), cloud_only=True)) as machine, variables(machine.environment):
        PublisherClient().create_topic(name=TOPIC)
        SubscriberClient().create_subscription(name=SUBSCRIPTION, topic=TOPIC)
        bucket = Client(project="local-project").create_bucket("fault-tests")
        bucket.notification(topic_name="fault-tests", topic_project="local-project", event_types=["OBJECT_FINALIZE"]).create()
        Client(project="local-project").create_bucket("fault-tests-plain")
        yield machine


@pytest.fixture
def plain(machine: Machine) -> Bucket:
    """A bucket without notifications."""
    return Client(project="local-project").bucket("fault-tests-plain")


@pytest.fixture
def bucket(machine: Machine) -> Bucket:
    return Client(project="local-project").bucket("fault-tests")


@pytest.fixture
def publisher(machine: Machine) -> PublisherClient:
    return PublisherClient()


@pytest.fixture
def plant(machine: Machine) -> Iterator[Plant]:
    """The command `fault`; the rules left over are cleared."""
    yield machine.fault
    machine.fault("clear")


@pytest.fixture
def pull(machine: Machine) -> Iterator[Callable[[int], list[str]]]:
    """Pulls until `count` messages have arrived; their object names or data, in order of arrival."""
    subscriber = SubscriberClient()
    seen: list[str] = []

    def look(count: int) -> list[str] | None:
        found = subscriber.pull(subscription=SUBSCRIPTION, max_messages=10, timeout=60).received_messages
        if found:
            subscriber.acknowledge(subscription=SUBSCRIPTION, ack_ids=[message.ack_id for message in found])
        seen.extend(message.message.attributes.get("objectId") or message.message.data.decode() for message in found)
        return seen if len(seen) >= count else None

    yield lambda count: eventually(lambda: look(count))
    subscriber.close()


def put(bucket: Bucket, *names: str) -> None:
    for name in names:
        bucket.blob(name).upload_from_string(b"words")


def test_a_dropped_notification_never_arrives_but_its_object_exists(
    bucket: Bucket, plant: Plant, pull: Callable[..., list[str]]
) -> None:
    plant("drop", "notifications")
    put(bucket, "lost", "after")

    assert pull(1) == ["after"]
    assert bucket.blob("lost").exists()


def test_a_repeated_notification_arrives_twice(bucket: Bucket, plant: Plant, pull: Callable[..., list[str]]) -> None:
    plant("repeat", "notifications", "--match", "fault-tests")
    put(bucket, "twice", "once")

    assert sorted(pull(3)) == ["once", "twice", "twice"]


def test_reordered_notifications_arrive_in_reverse_order(bucket: Bucket, plant: Plant, pull: Callable[..., list[str]]) -> None:
    plant("reorder", "notifications", "--next", "3")
    put(bucket, "1", "2", "3")

    assert pull(3) == ["3", "2", "1"]


def test_a_delayed_message_arrives_after_later_ones(
    publisher: PublisherClient, plant: Plant, pull: Callable[..., list[str]]
) -> None:
    plant("delay", "messages", "--seconds", "0.5")
    # One request for both: between two, more than the delay might pass.
    PublisherApi.publish(publisher, topic=TOPIC, messages=[PubsubMessage(data=data) for data in (b"first", b"second")])

    assert pull(2) == ["second", "first"]


def test_a_dropped_message_is_acknowledged_but_never_arrives(
    publisher: PublisherClient, plant: Plant, pull: Callable[..., list[str]]
) -> None:
    plant("drop", "messages")
    acknowledged = [publisher.publish(TOPIC, data).result() for data in (b"lost", b"kept")]

    assert pull(1) == ["kept"]
    assert len(set(acknowledged)) == 2


def test_a_client_retries_planted_errors(plain: Bucket, plant: Plant) -> None:
    plant("answer", "storage", "--status", "503", "--match", "POST /upload", "--next", "2")
    name = uuid.uuid4().hex
    plain.blob(name).upload_from_string(b"words", if_generation_match=0)

    assert plain.blob(name).download_as_bytes() == b"words"
    assert "no fault" in plant("list")


def test_a_planted_answer_reaches_a_client_that_is_still_sending(machine: Machine, plant: Plant) -> None:
    plant("answer", "storage", "--status", "400", "--match", "POST /upload")
    data = bytes(1_000_000)
    path = "/upload/storage/v1/b/fault-tests-plain/o?uploadType=media"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}"
    with socket.create_connection((HOST, Ports(machine.offset).storage), timeout=10) as connection:
        connection.sendall(f"{head}\r\n\r\n".encode())
        statuses = [answered(connection)]
        connection.sendall(data + b"GET /storage/v1/b/fault-tests-plain HTTP/1.1\r\nHost: localhost\r\n\r\n")
        statuses.append(answered(connection))

    assert statuses == [400, 200]


def answered(connection: socket.socket) -> int:
    """The status of the next answer on this connection."""
    with HTTPResponse(connection) as reply:
        reply.begin()
        reply.read()
        return reply.status


def test_a_client_resumes_after_a_cut_connection(plain: Bucket, plant: Plant) -> None:
    data = bytes(range(256)) * 40_000
    plant("cut", "storage", "--after-bytes", "400000", "--match", "PUT .*upload_id")
    blob = plain.blob("cut", chunk_size=1 << 20)
    blob.upload_from_string(data, if_generation_match=0)
    plant("cut", "storage", "--after-bytes", "400000", "--match", "GET /download")

    assert plain.blob("cut").download_as_bytes() == data
    assert "no fault" in plant("list")


def test_a_frozen_service_lets_calls_through_once_it_is_thawed(
    publisher: PublisherClient, plant: Plant, pull: Callable[..., list[str]]
) -> None:
    plant("freeze", "pubsub", "--match", "Publisher/Publish")
    done = threading.Event()
    future = publisher.publish(TOPIC, b"patient")
    future.add_done_callback(lambda _: done.set())
    waited = not done.wait(0.3)
    plant("thaw", "pubsub")

    assert waited
    assert future.result(timeout=60)
    assert pull(1) == ["patient"]


def test_a_grpc_call_is_refused_with_the_code_of_the_status(machine: Machine, plant: Plant) -> None:
    plant("answer", "pubsub", "--status", "403", "--match", "GetTopic$")

    with pytest.raises(exceptions.PermissionDenied, match="planted"):
        PublisherClient().get_topic(topic=TOPIC)


def test_cloud_tasks_refuses_over_grpc_too(machine: Machine, plant: Plant) -> None:
    plant("answer", "tasks", "--status", "429", "--match", "CloudTasks/ListQueues", "--next", "1")
    request = {"parent": "projects/local-project/locations/us-central1"}

    with grpc.insecure_channel(machine.environment["CLOUDTASKS_EMULATOR_HOST"]) as channel:
        client = CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
        with pytest.raises(exceptions.ResourceExhausted, match="planted by a fault rule"):
            client.list_queues(request, retry=None)
        assert list(client.list_queues(request, retry=None)) == []


def test_the_command_plants_lists_and_clears(machine: Machine) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        words = [sys.executable, "-m", "local", "fault", "--port-offset", str(machine.offset), *arguments]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    planted = run("drop", "notifications", "--match", "nothing", "--next", "3")
    refused = run("drop", "storage")
    cleared = run("clear")

    assert planted[0] == 0
    assert '"left": 3' in planted[1]
    assert refused == (1, "error: drop is for notifications, messages, not for 'storage'\n")
    assert cleared == (0, "no fault is planted\n")


def test_without_a_cloud_the_command_says_how_to_start_one(machine: Machine) -> None:
    machine_less = argparse.Namespace(kind="list", place=None, port_offset=-7000)

    with pytest.raises(SystemExit, match="python -m localcloud up"):
        command.fault(machine_less)
