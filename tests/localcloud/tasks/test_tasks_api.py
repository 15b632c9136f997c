"""The REST API, called by google-cloud-tasks and by raw requests."""

import socket

import pytest
from google.api_core import exceptions
from google.cloud import tasks_v2
from google.iam.v1 import policy_pb2
from google.protobuf import duration_pb2, field_mask_pb2, timestamp_pb2

from tests.localcloud.tasks.world import LOCATION, World, raw

FULL = tasks_v2.Task.View.FULL
PAUSED = tasks_v2.Queue.State.PAUSED
URL = "http://127.0.0.1:9/never-called"


@pytest.fixture
def paused(world: World) -> str:
    name = world.queue("paused")
    world.client.pause_queue(name=name)
    return name


def test_a_queue_is_created_read_listed_and_deleted(world: World) -> None:
    names = [world.queue(id_) for id_ in ("c", "a", "b")]

    assert world.client.get_queue(name=names[0]).state == tasks_v2.Queue.State.RUNNING
    assert [q.name for q in world.client.list_queues(request={"parent": LOCATION, "page_size": 2})] == sorted(names)
    world.client.delete_queue(name=names[0])
    with pytest.raises(exceptions.NotFound, match="Queue does not exist"):
        world.client.get_queue(name=names[0])
    with pytest.raises(exceptions.NotFound, match="Requested entity was not found"):
        world.client.delete_queue(name=names[0])


def test_a_queue_of_the_same_name_is_refused(world: World) -> None:
    world.queue("q")

    with pytest.raises(exceptions.Conflict, match="Queue already exists"):
        world.queue("q")


def test_an_update_changes_masked_fields_and_creates_a_missing_queue(world: World) -> None:
    name = f"{LOCATION}/queues/q"
    limits = tasks_v2.RateLimits(max_dispatches_per_second=5, max_concurrent_dispatches=7)
    world.client.update_queue(queue=tasks_v2.Queue(name=name, rate_limits=limits))
    retry = tasks_v2.RetryConfig(max_attempts=3, min_backoff=duration_pb2.Duration(seconds=9))

    queue = world.client.update_queue(
        queue=tasks_v2.Queue(name=name, retry_config=retry),
        update_mask=field_mask_pb2.FieldMask(paths=["retry_config.max_attempts"]),
    )

    assert (queue.rate_limits.max_dispatches_per_second, queue.rate_limits.max_concurrent_dispatches) == (5, 7)
    assert queue.retry_config.max_attempts == 3
    assert tasks_v2.Queue.to_dict(queue)["retry_config"]["min_backoff"] == "0.100s"


def test_a_mask_of_unknown_fields_is_refused(world: World) -> None:
    status, answer = raw(world, "PATCH", f"/v2/{world.queue('q')}?updateMask=colour", b"{}")

    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_the_routing_to_app_engine_is_stored_and_can_be_taken_off(world: World) -> None:
    path, beta = f"/v2/{LOCATION}/queues/q", f"/v2beta3/{LOCATION}/queues/q?readMask=appEngineHttpQueue"
    mask = "?updateMask=appEngineRoutingOverride"
    routing = b'{"appEngineRoutingOverride": {"service": "shop", "version": "v1", "host": "elsewhere.test"}}'
    world.queue("q", rate_limits={"max_dispatches_per_second": 7})

    changed = raw(world, "PATCH", path + mask, routing)
    kept, kept_beta = raw(world, "GET", path), raw(world, "GET", beta)
    cleared = raw(world, "PATCH", path + mask, b"{}")

    override = {"service": "shop", "version": "v1"}
    assert kept == changed
    assert (kept[1]["appEngineRoutingOverride"], kept[1]["rateLimits"]["maxDispatchesPerSecond"]) == (override, 7)
    assert kept_beta == (200, {"appEngineHttpQueue": {"appEngineRoutingOverride": override}})
    assert "appEngineRoutingOverride" not in cleared[1]


def test_a_task_for_app_engine_is_refused_by_name(world: World) -> None:
    queue = world.queue("q", app_engine_routing_override={"service": "shop"})

    status, answer = raw(world, "POST", f"/v2/{queue}/tasks", b'{"task": {"appEngineHttpRequest": {"relativeUri": "/"}}}')

    assert (status, answer["error"]["status"]) == (405, "UNIMPLEMENTED")
    assert "Task.appEngineHttpRequest" in answer["error"]["message"]


def test_a_policy_is_stored_and_an_outdated_etag_refused(world: World) -> None:
    name = world.queue("q")
    policy = world.client.get_iam_policy(request={"resource": name})
    policy.bindings.append(policy_pb2.Binding(role="roles/cloudtasks.enqueuer", members=["user:a@b.c"]))
    world.client.set_iam_policy(request={"resource": name, "policy": policy})

    kept = world.client.get_iam_policy(request={"resource": name})
    allowed = world.client.test_iam_permissions(request={"resource": name, "permissions": ["cloudtasks.tasks.create"]})

    assert kept.bindings == policy.bindings
    assert list(allowed.permissions) == ["cloudtasks.tasks.create"]
    with pytest.raises(exceptions.Conflict):
        world.client.set_iam_policy(request={"resource": name, "policy": policy})


def test_bindings_of_one_role_are_merged(world: World) -> None:
    name = world.queue("q")
    bindings = [{"role": "roles/viewer", "members": members} for members in (["user:a@b.c"], ["user:d@b.c", "user:a@b.c"])]
    world.client.set_iam_policy(request={"resource": name, "policy": {"bindings": bindings}})

    (kept,) = world.client.get_iam_policy(request={"resource": name}).bindings
    assert (kept.role, list(kept.members)) == ("roles/viewer", ["user:a@b.c", "user:d@b.c"])


def test_locations_are_those_with_queues_and_the_default(world: World) -> None:
    parent = "projects/local-project/locations/europe-west1"
    world.client.create_queue(parent=parent, queue=tasks_v2.Queue(name=f"{parent}/queues/q"))

    found = world.client.list_locations({"name": "projects/local-project"})

    assert [location.location_id for location in found.locations] == ["europe-west1", "us-central1"]
    assert world.client.get_location({"name": parent}).location_id == "europe-west1"


def test_a_task_has_its_body_only_in_the_full_view(world: World, paused: str) -> None:
    name = world.task(paused, URL, "t", http_request={"body": b"secret", "headers": {"X-A": "1"}})

    assert world.client.get_task(name=name).http_request.body == b""
    full = world.client.get_task(request={"name": name, "response_view": FULL})
    assert full.http_request.body == b"secret"
    assert full.view == FULL
    assert full.http_request.headers == {"User-Agent": "Google-Cloud-Tasks", "X-A": "1"}


def test_tasks_are_listed_in_pages(world: World, paused: str) -> None:
    names = [world.task(paused, URL) for _ in range(5)]

    pages = world.client.list_tasks(request={"parent": paused, "page_size": 2}).pages

    assert [[task.name for task in page.tasks] for page in pages] == [names[:2], names[2:4], names[4:]]


def test_the_name_of_a_removed_task_is_taken_for_an_hour(turned: World) -> None:
    queue = turned.queue("q")
    turned.client.pause_queue(name=queue)
    name = turned.task(queue, URL, "t")

    with pytest.raises(exceptions.Conflict, match="Requested entity already exists"):
        turned.task(queue, URL, "t")
    turned.client.delete_task(name=name)
    with pytest.raises(exceptions.NotFound, match="existed recently"):
        turned.client.get_task(name=name)
    turned.turn(3599)
    with pytest.raises(exceptions.Conflict, match="existed too recently"):
        turned.task(queue, URL, "t")
    turned.turn(1)
    assert turned.task(queue, URL, "t") == name


def test_a_purge_deletes_tasks_but_keeps_their_names_taken(world: World, paused: str) -> None:
    world.task(paused, URL, "t")
    world.task(paused, URL)

    queue = world.client.purge_queue(name=paused)

    assert queue.purge_time
    assert list(world.client.list_tasks(parent=paused)) == []
    with pytest.raises(exceptions.Conflict, match="existed too recently"):
        world.task(paused, URL, "t")


def test_a_deleted_queue_takes_its_tasks_and_names_with_it(world: World) -> None:
    name = world.queue("q")
    world.client.pause_queue(name=name)
    world.task(name, URL, "t")

    world.client.delete_queue(name=name)
    world.queue("q")

    assert list(world.client.list_tasks(parent=name)) == []
    assert world.task(name, URL, "t")


def test_a_missing_queue_or_task_is_not_found(world: World) -> None:
    queue = f"{LOCATION}/queues/missing"

    with pytest.raises(exceptions.NotFound, match="Queue does not exist"):
        world.task(queue, URL)
    world.queue("missing")
    for method in (world.client.get_task, world.client.delete_task, world.client.run_task):
        with pytest.raises(exceptions.NotFound, match="Requested entity was not found"):
            method(name=f"{queue}/tasks/t")


@pytest.mark.parametrize("name", ["other/tasks/t", "q/tasks/a b", "q/tasks/" + "a" * 501, "q"])
def test_a_bad_task_name_is_refused(world: World, name: str) -> None:
    queue = world.queue("q")

    with pytest.raises(exceptions.BadRequest):
        world.client.create_task(parent=queue, task=tasks_v2.Task(name=f"{LOCATION}/queues/{name}", http_request={"url": URL}))


@pytest.mark.parametrize("id_", ["under_score", "a" * 101, "ü"])
def test_a_bad_queue_name_is_refused(world: World, id_: str) -> None:
    with pytest.raises(exceptions.BadRequest, match="Queue name must be formatted"):
        world.queue(id_)


def test_a_task_beyond_the_horizon_is_refused(world: World, paused: str) -> None:
    when = timestamp_pb2.Timestamp(seconds=int(world.clock.time()) + 31 * 86_400)

    with pytest.raises(exceptions.BadRequest, match="too far in the future"):
        world.task(paused, URL, schedule_time=when)


def test_enums_are_numbers_only_when_asked_for(world: World, paused: str) -> None:
    assert raw(world, "GET", f"/v2/{paused}")[1]["state"] == "PAUSED"
    assert raw(world, "GET", f"/v2/{paused}?$alt=json;enum-encoding=int")[1]["state"] == PAUSED


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "/v2/{queue}/tasks", b"{", 400, "Invalid JSON payload"),
        ("POST", "/v2/{queue}/tasks", b"[]", 400, "Invalid JSON payload"),
        ("POST", "/v2/{queue}/tasks", b'{"task": {"colour": 1}}', 400, "colour"),
        ("POST", "/v2/{queue}/tasks", b'{"task": {"httpRequest": {"url": 1}}}', 400, "url"),
        ("POST", "/v2/{queue}/tasks:batchCreate", b"{}", 405, "tasks.batchCreate"),
        ("GET", "/v2/{queue}/tasks?pageToken=%FF", b"", 400, "UTF-8"),
        ("GET", "/v2/{queue}/tasks?pageToken=%C3%BC", b"", 400, "page_token"),
        ("GET", "/v2/{queue}/tasks?pageToken=_w==", b"", 400, "page_token"),
        ("GET", "/v2/{queue}/tasks?pageToken=abc", b"", 400, "page_token"),
        ("GET", "/v2/{queue}/tasks?pageSize=-1", b"", 400, "page_size"),
        ("GET", "/v2/{queue}/tasks?responseView=WIDE", b"", 400, "response_view"),
        ("GET", "/v2/{queue}/colours", b"", 404, "is not a method"),
        ("PUT", "/v2/{queue}", b"", 404, "is not a method"),
        ("GET", "/", b"", 404, "is not a method"),
        ("GET", "/v3/{queue}", b"", 404, "is not a method"),
        ("GET", "/v2/projects/local-project/locations/l/cmekConfig", b"", 405, "getCmekConfig"),
        ("POST", "/v2/{queue}:pause", b"[null]", 400, "object"),
        ("POST", "/v2/{queue}:resume", b"nullx", 400, "Invalid JSON payload"),
        ("POST", "/v2/{queue}:purge", b'{"colour": 1}', 400, "colour"),
        ("POST", "/v2/{queue}:getIamPolicy", b"{", 400, "Invalid JSON payload"),
        ("POST", "/v2/{queue}:setIamPolicy", b"{}", 400, "policy"),
        ("POST", "/v2/{queue}:setIamPolicy", b'{"policy": {"bindings": 1}}', 400, "bindings"),
        ("POST", "/v2/{queue}:testIamPermissions", b'{"permissions": {}}', 400, "permissions"),
        ("POST", "/v2/{queue}/tasks", b'{"task": {"httpRequest": {"url": "http://x/\\ud800"}}}', 400, "surrogates"),
        ("POST", "/v2/{queue}/tasks", b'{"task": {"httpRequest": {"url": "http://x/\xed\xa0\x80"}}}', 400, "decode"),
        ("POST", "/v2/{queue}/tasks", b'{"task": ' * 100_000, 400, "recursion"),
        ("POST", "/v2/{queue}/tasks", b"[" * 900 + b"]" * 900, 400, "object"),
        ("POST", "/v2/{queue}/tasks", b'{"task": {"dispatchCount": 1' + b"0" * 5000 + b"}}", 400, "Invalid JSON payload"),
        ("GET", "/v2/{queue}/tasks?pageToken=" + "OTk5" * 100, b"", 400, "page_token"),
        ("GET", "/v2/{queue}/tasks?pageSize=" + "9" * 5000, b"", 400, "page_size"),
    ],
)
def test_a_wrong_request_is_refused_with_a_reason(
    world: World, paused: str, method: str, path: str, body: bytes, status: int, words: str
) -> None:
    code, answer = raw(world, method, path.format(queue=paused), body)

    assert (code, answer["error"]["code"]) == (status, status)
    assert words in answer["error"]["message"]


def test_a_request_cut_short_is_not_acted_on(world: World, paused: str) -> None:
    world.task(paused, URL, "t")
    with socket.create_connection(("127.0.0.1", world.port)) as connection:
        connection.sendall(f"POST /v2/{paused}:purge HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{".encode())

    assert [task.name for task in world.client.list_tasks(parent=paused)] == [f"{paused}/tasks/t"]


def test_a_body_of_many_megabytes_is_refused(world: World, paused: str) -> None:
    status, answer = raw(world, "POST", f"/v2/{paused}/tasks", b" " * (11 << 20))

    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
