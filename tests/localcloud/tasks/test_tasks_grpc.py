"""The gRPC surface, called by google-cloud-tasks: its methods give the answers and refusals of REST."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2, tasks_v2beta3
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport
from google.cloud.tasks_v2beta3.services.cloud_tasks.transports import CloudTasksGrpcTransport as BetaTransport
from google.iam.v1 import policy_pb2
from google.protobuf import duration_pb2

from tests.localcloud.target import Target
from tests.localcloud.tasks.world import LOCATION, World

QUEUE = f"{LOCATION}/queues/q"
TASK = f"{QUEUE}/tasks/t"
URL = "http://127.0.0.1:9/never-called"
FULL = tasks_v2.Task.View.FULL


@pytest.fixture
def channel(world: World) -> Iterator[Any]:
    with grpc.insecure_channel(f"127.0.0.1:{world.grpc_port}") as channel:
        yield channel


@pytest.fixture
def client(channel: Any) -> tasks_v2.CloudTasksClient:
    return tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))


@pytest.fixture
def paused(client: tasks_v2.CloudTasksClient) -> str:
    client.create_queue(parent=LOCATION, queue=tasks_v2.Queue(name=QUEUE))
    client.pause_queue(name=QUEUE)
    return QUEUE


def test_a_queue_has_the_same_content_over_both_surfaces(world: World, client: tasks_v2.CloudTasksClient) -> None:
    limits = tasks_v2.RateLimits(max_dispatches_per_second=7)
    made = client.create_queue(parent=LOCATION, queue=tasks_v2.Queue(name=QUEUE, rate_limits=limits))

    assert (made.rate_limits.max_dispatches_per_second, made.retry_config.max_attempts) == (7, 100)
    assert made == client.get_queue(name=QUEUE) == world.client.get_queue(name=QUEUE)
    assert [client.pause_queue(name=QUEUE).state.name, client.resume_queue(name=QUEUE).state.name] == ["PAUSED", "RUNNING"]
    client.delete_queue(name=QUEUE)
    assert list(world.client.list_queues(parent=LOCATION)) == []


def test_queues_are_listed_in_pages(client: tasks_v2.CloudTasksClient) -> None:
    for id_ in ("c", "a", "b"):
        client.create_queue(parent=LOCATION, queue=tasks_v2.Queue(name=f"{LOCATION}/queues/{id_}"))

    pages = client.list_queues(request={"parent": LOCATION, "page_size": 2}).pages

    assert [[queue.name[-1] for queue in page.queues] for page in pages] == [["a", "b"], ["c"]]


def test_an_update_changes_only_masked_fields(client: tasks_v2.CloudTasksClient) -> None:
    limits = tasks_v2.RateLimits(max_dispatches_per_second=7)
    client.update_queue(queue=tasks_v2.Queue(name=QUEUE, rate_limits=limits))
    retry = tasks_v2.RetryConfig(max_attempts=3, max_retry_duration=duration_pb2.Duration(seconds=9))

    changes = {"queue": {"name": QUEUE, "retry_config": retry}, "update_mask": {"paths": ["retry_config.max_attempts"]}}
    changed = client.update_queue(request=changes)

    assert (changed.retry_config.max_attempts, changed.rate_limits.max_dispatches_per_second) == (3, 7)
    assert not changed.retry_config.max_retry_duration


def test_a_task_is_created_read_run_and_deleted(client: tasks_v2.CloudTasksClient, paused: str, target: Target) -> None:
    task = tasks_v2.Task(name=TASK, http_request={"url": target.url, "body": b"words"})

    made = client.create_task(request={"parent": paused, "task": task, "response_view": FULL})
    read = client.get_task(name=TASK)
    client.run_task(name=TASK)
    target.wait_for(1)

    assert (made.name, made.view, made.http_request.body) == (TASK, FULL, b"words")
    assert (read.view, read.http_request.body) == (tasks_v2.Task.View.BASIC, b"")
    assert client.get_queue(name=paused).state == tasks_v2.Queue.State.PAUSED
    client.create_task(parent=paused, task=tasks_v2.Task(name=f"{TASK}2", http_request={"url": URL}))
    client.delete_task(name=f"{TASK}2")
    with pytest.raises(exceptions.NotFound, match="existed recently"):
        client.get_task(name=f"{TASK}2")


def test_tasks_are_listed_in_pages_until_they_are_purged(client: tasks_v2.CloudTasksClient, paused: str) -> None:
    new = tasks_v2.Task(http_request={"url": URL})
    names = [client.create_task(parent=paused, task=new).name for _ in range(3)]

    pages = client.list_tasks(request={"parent": paused, "page_size": 2}).pages

    assert [[task.name for task in page.tasks] for page in pages] == [names[:2], names[2:]]
    assert client.purge_queue(name=paused).purge_time
    assert list(client.list_tasks(parent=paused)) == []


def test_a_page_of_large_tasks_fits_into_a_message(client: tasks_v2.CloudTasksClient, paused: str) -> None:
    for _ in range(5):
        client.create_task(parent=paused, task=tasks_v2.Task(http_request={"url": URL, "body": bytes(1_000_000)}))

    pages = list(client.list_tasks(request={"parent": paused, "response_view": FULL}).pages)

    assert [len(page.tasks) for page in pages] == [4, 1]


def test_a_policy_is_stored_and_an_outdated_one_refused(client: tasks_v2.CloudTasksClient, paused: str) -> None:
    policy = client.get_iam_policy(request={"resource": paused})
    policy.bindings.append(policy_pb2.Binding(role="roles/cloudtasks.enqueuer", members=["user:a@b.c"]))
    client.set_iam_policy(request={"resource": paused, "policy": policy})

    assert client.get_iam_policy(request={"resource": paused}).bindings == policy.bindings
    allowed = client.test_iam_permissions(request={"resource": paused, "permissions": ["cloudtasks.tasks.create"]})
    assert list(allowed.permissions) == ["cloudtasks.tasks.create"]
    with pytest.raises(exceptions.Aborted):
        client.set_iam_policy(request={"resource": paused, "policy": policy})


def test_locations_are_listed(client: tasks_v2.CloudTasksClient) -> None:
    [location] = client.list_locations({"name": "projects/local-project"}).locations

    assert location.labels == {"cloud.googleapis.com/region": "us-central1"}
    assert client.get_location({"name": location.name}) == location


def test_a_location_has_these_bytes(channel: Any) -> None:
    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    name, id_ = LOCATION.encode(), b"us-central1"
    ask = channel.unary_unary("/google.cloud.location.Locations/GetLocation")

    label = field(1, b"cloud.googleapis.com/region") + field(2, id_)
    assert ask(field(1, name)) == field(1, name) + field(2, label) + field(4, id_)


def test_the_beta_version_has_the_statistics_of_a_queue(channel: Any, client: tasks_v2.CloudTasksClient, paused: str) -> None:
    beta = tasks_v2beta3.CloudTasksClient(transport=BetaTransport(channel=channel))
    client.create_task(parent=paused, task=tasks_v2.Task(http_request={"url": URL}))

    found = beta.get_queue({"name": paused, "read_mask": {"paths": ["stats", "rate_limits"]}})

    assert (found.stats.tasks_count, found.stats.effective_execution_rate) == (1, 500)
    assert (found.rate_limits.max_concurrent_dispatches, found.name) == (1000, "")
    with pytest.raises(
        exceptions.MethodNotImplemented, match=r"does not support /google\.cloud\.tasks\.v2beta3\.CloudTasks/GetTask"
    ):
        beta.get_task(name=TASK)


Act = Callable[[tasks_v2.CloudTasksClient], object]


@pytest.mark.parametrize(
    ("error", "words", "act"),
    [
        (exceptions.NotFound, "Queue does not exist", lambda c: c.get_queue(name=f"{QUEUE}2")),
        (exceptions.NotFound, "Requested entity was not found", lambda c: c.get_task(name=TASK)),
        (exceptions.AlreadyExists, "Queue already exists", lambda c: c.create_queue(parent=LOCATION, queue={"name": QUEUE})),
        (exceptions.InvalidArgument, "Queue name must be formatted", lambda c: c.get_queue(name="q")),
        (exceptions.InvalidArgument, "Queue name must be formatted", lambda c: c.create_queue(parent=LOCATION, queue={})),
        (exceptions.InvalidArgument, "Task name must be formatted", lambda c: c.get_task(name=f"{QUEUE}/colours/t")),
        (exceptions.InvalidArgument, "Invalid resource field", lambda c: c.list_queues(parent="projects/p")),
        (exceptions.InvalidArgument, "Invalid resource field", lambda c: c.list_locations({"name": "projects/p/locations/l"})),
        (exceptions.InvalidArgument, "page_token", lambda c: c.list_tasks({"parent": QUEUE, "page_token": "abc"})),
        (exceptions.InvalidArgument, "page_size", lambda c: c.list_tasks({"parent": QUEUE, "page_size": -1})),
        (
            exceptions.InvalidArgument,
            "update_mask",
            lambda c: c.update_queue(queue={"name": QUEUE}, update_mask={"paths": ["x"]}),
        ),
        (exceptions.InvalidArgument, "Task.httpRequest is required", lambda c: c.create_task(parent=QUEUE, task={})),
        (exceptions.InvalidArgument, "policy is required", lambda c: c.set_iam_policy({"resource": QUEUE})),
        (
            exceptions.MethodNotImplemented,
            "Task.appEngineHttpRequest: the local Cloud Tasks has no App Engine",
            lambda c: c.create_task(parent=QUEUE, task={"app_engine_http_request": {"relative_uri": "/"}}),
        ),
        (
            exceptions.MethodNotImplemented,
            "does not support filters",
            lambda c: c.list_queues({"parent": LOCATION, "filter": "x"}),
        ),
        (
            exceptions.MethodNotImplemented,
            "The local Cloud Tasks does not support /google.cloud.tasks.v2.CloudTasks/GetCmekConfig",
            lambda c: c.get_cmek_config(name=f"{LOCATION}/cmekConfig"),
        ),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_a_refusal_has_its_state_and_reason(
    client: tasks_v2.CloudTasksClient, paused: str, error: type[Exception], words: str, act: Act
) -> None:
    with pytest.raises(error, match=words):
        act(client)


def test_a_refusal_links_to_its_help(client: tasks_v2.CloudTasksClient) -> None:
    with pytest.raises(exceptions.InvalidArgument) as refusal:
        client.get_queue(name="q")

    [details] = refusal.value.details
    assert [link.description for link in details.links] == ["Definition of queue name"]
