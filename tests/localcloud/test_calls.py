"""The local cloud counts the calls it serves, by operation and bucket, topic, subscription or queue."""

import argparse
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from google.cloud.pubsub_v1 import PublisherClient
from google.cloud.storage import Client

from localcloud.address import Ports
from localcloud.calls import CALLS_PATH, calls
from tests.localcloud.target import Target, listening
from tests.machine import Machine, running, variables

PROJECT = "projects/local-project"
QUEUES = f"/v2/{PROJECT}/locations/us-central1/queues"
#: google-cloud-storage reads a bucket's metadata for its traces.
NO_TRACES = {"DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA": "true"}
Counts = dict[tuple[str, str, str], int]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with running(Machine(tmp_path_factory.mktemp("calls"), cloud_only=True)) as machine:
        yield machine


@pytest.fixture
def cloud(machine: Machine) -> Machine:
    """The local cloud with every count at 0 and the bucket `counted`."""
    ask(machine, "POST", storage(machine, "/storage/v1/b?project=local-project"), json={"name": "counted"})
    counted(machine, "DELETE")
    return machine


@pytest.fixture
def target() -> Iterator[Target]:
    with listening() as found:
        yield found


def ask(machine: Machine, method: str, url: str, **what: Any) -> requests.Response:
    return requests.request(method, url if "://" in url else tasks(machine, url), timeout=60, **what)


def storage(machine: Machine, path: str) -> str:
    return f"http://127.0.0.1:{Ports(machine.offset).storage}{path}"


def pubsub(machine: Machine, path: str) -> str:
    return f"http://127.0.0.1:{Ports(machine.offset).pubsub}/v1/{PROJECT}/{path}"


def tasks(machine: Machine, path: str) -> str:
    return f"http://127.0.0.1:{Ports(machine.offset).tasks}{path}"


def counted(machine: Machine, method: str = "GET") -> Counts:
    rows = ask(machine, method, CALLS_PATH).json()
    return {(row["service"], row["operation"], row["place"]): row["calls"] for row in rows}


def test_the_calls_of_the_storage_client_are_counted_by_bucket(cloud: Machine) -> None:
    with variables(cloud.environment | NO_TRACES):
        bucket = Client(project="local-project").bucket("counted")
        for name in ("a", "b"):
            bucket.blob(name).upload_from_string("x")
        bucket.blob("a").download_as_bytes()
        bucket.get_blob("a")
        list(bucket.list_blobs())

    assert counted(cloud) == {
        ("storage", "objects.insert (multipart)", "counted"): 2,
        ("storage", "objects.get (media)", "counted"): 1,
        ("storage", "objects.get", "counted"): 1,
        ("storage", "objects.list", "counted"): 1,
    }


def test_the_calls_of_the_xml_api_are_counted(cloud: Machine) -> None:
    ask(cloud, "PUT", storage(cloud, "/counted/x"), data=b"x")
    ask(cloud, "HEAD", storage(cloud, "/counted/x"))
    ask(cloud, "GET", storage(cloud, "/counted/x"))

    assert counted(cloud) == {("storage", f"XML: {method} object", "counted"): 1 for method in ("PUT", "HEAD", "GET")}


def test_both_ways_to_download_over_json_count_as_media(cloud: Machine) -> None:
    for path in ("/storage/v1/b/counted/o/none?alt=media", "/download/storage/v1/b/counted/o/none"):
        ask(cloud, "GET", storage(cloud, path))

    assert counted(cloud) == {("storage", "objects.get (media)", "counted"): 2}


def test_a_batch_counts_and_so_does_each_request_in_it(cloud: Machine) -> None:
    with variables(cloud.environment | NO_TRACES):
        client = Client(project="local-project")
        with client.batch(raise_exception=False):
            for name in ("a", "b"):
                client.bucket("counted").delete_blob(name)

    assert counted(cloud) == {("storage", "batch", ""): 1, ("storage", "objects.delete", "counted"): 2}


def test_a_refused_call_counts_but_an_unknown_operation_does_not(cloud: Machine) -> None:
    upload = storage(cloud, "/upload/storage/v1/b/counted/o?uploadType=media&name=x&ifGenerationMatch=7")
    refused = ask(cloud, "POST", upload, data=b"x")
    unknown = ask(cloud, "GET", storage(cloud, "/storage/v1/b/counted/lockRetentionPolicy"))

    assert (refused.status_code, unknown.status_code) == (412, 400)
    assert counted(cloud) == {("storage", "objects.insert (media)", "counted"): 1}


def test_publishing_and_pushing_count_over_grpc_and_rest_alike(cloud: Machine, target: Target) -> None:
    ask(cloud, "PUT", pubsub(cloud, "topics/news"), json={})
    push = {"topic": f"{PROJECT}/topics/news", "pushConfig": {"pushEndpoint": target.url}}
    ask(cloud, "PUT", pubsub(cloud, "subscriptions/readers"), json=push)
    ask(cloud, "POST", pubsub(cloud, "topics/news:publish"), json={"messages": [{"data": "eA=="}]})
    with variables(cloud.environment):
        publisher = PublisherClient()
        publisher.publish(f"{PROJECT}/topics/news", b"x").result()
        publisher.stop()
    target.wait_for(2)

    assert counted(cloud) == {
        ("pubsub", "Publisher.CreateTopic", "news"): 1,
        ("pubsub", "Subscriber.CreateSubscription", "readers"): 1,
        ("pubsub", "Publisher.Publish", "news"): 2,
        ("pubsub", "push", "readers"): 2,
    }


def test_each_attempt_of_a_task_is_a_dispatch(cloud: Machine, target: Target) -> None:
    queue = f"{QUEUES}/work"
    quick = {"name": queue[4:], "retryConfig": {"minBackoff": "0.1s", "maxBackoff": "0.1s"}}
    target.replies = [500]
    ask(cloud, "POST", QUEUES, json=quick)
    ask(cloud, "POST", f"{queue}/tasks", json={"task": {"httpRequest": {"url": target.url}}})
    target.wait_for(2)

    assert counted(cloud) == {
        ("tasks", "queues.create", ""): 1,
        ("tasks", "tasks.create", "work"): 1,
        ("tasks", "dispatch", "work"): 2,
    }


def test_a_reset_shows_the_counts_and_starts_again_at_0(cloud: Machine) -> None:
    ask(cloud, "GET", QUEUES)

    assert counted(cloud, "DELETE") == {("tasks", "queues.list", ""): 1}
    assert counted(cloud) == {}


def test_another_method_is_refused(cloud: Machine) -> None:
    answer = ask(cloud, "POST", CALLS_PATH, json={})

    assert (answer.status_code, answer.json()) == (405, {"error": "GET or DELETE"})


def test_the_command_prints_and_resets(cloud: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    ask(cloud, "GET", QUEUES)
    ask(cloud, "GET", storage(cloud, "/storage/v1/b/counted/o"))
    for reset in (False, True, False):
        calls(argparse.Namespace(port_offset=cloud.offset, reset=reset))

    once = "       1  storage  objects.list                 counted\n       1  tasks    queues.list\n"
    assert capsys.readouterr().out == once + once + "no call was served\n"
