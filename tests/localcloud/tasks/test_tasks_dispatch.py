"""Dispatching: the requests that the target receives, and when."""

import time

from google.auth import jwt
from google.cloud import tasks_v2
from google.protobuf import timestamp_pb2

from tests.eventually import eventually
from tests.localcloud.target import Target
from tests.localcloud.tasks.world import World, is_gone

ACCOUNT = "dispatcher@local-project.iam.gserviceaccount.com"


def test_a_task_arrives_unchanged_with_headers_about_itself(world: World, target: Target) -> None:
    queue = world.queue("images")
    request = {"http_method": tasks_v2.HttpMethod.PUT, "body": b"\x00\xff", "headers": {"X-Mine": "1"}}

    name = world.task(queue, f"{target.url}/a%2Fb?c=d", "first", http_request=request)

    received = target.wait_for(1)[0]
    assert (received.method, received.path, received.body) == ("PUT", "/a%2Fb?c=d", b"\x00\xff")
    eta = received.headers.pop("X-CloudTasks-TaskETA")
    assert abs(float(eta) - time.time()) < 60
    assert len(eta.partition(".")[2]) == 6
    assert {
        key: value for key, value in received.headers.items() if key.startswith("X-") or key in ("User-Agent", "Content-Type")
    } == {
        "X-Mine": "1",
        "User-Agent": "Google-Cloud-Tasks",
        "Content-Type": "application/octet-stream",
        "X-CloudTasks-QueueName": "images",
        "X-CloudTasks-TaskName": "first",
        "X-CloudTasks-TaskRetryCount": "0",
        "X-CloudTasks-TaskExecutionCount": "0",
    }
    eventually(lambda: is_gone(world, name), "the task to be done")


def test_the_token_can_be_verified_with_the_published_certificates(world: World, target: Target) -> None:
    request = {"oidc_token": {"service_account_email": ACCOUNT}, "headers": {"Authorization": "Basic x"}}

    world.task(world.queue("q"), f"{target.url}/x", http_request=request)

    scheme, _, token = target.wait_for(1)[0].headers["Authorization"].partition(" ")
    claims = jwt.decode(token, certs=world.accounts.certificates(), audience=f"{target.url}/x")
    assert scheme == "Bearer"
    assert (claims["email"], claims["email_verified"]) == (ACCOUNT, True)


def test_the_token_has_the_audience_of_the_task(world: World, target: Target) -> None:
    request = {"oidc_token": {"service_account_email": ACCOUNT, "audience": "https://processor"}}

    world.task(world.queue("q"), target.url, http_request=request)

    token = target.wait_for(1)[0].headers["Authorization"].removeprefix("Bearer ")
    assert jwt.decode(token, certs=world.accounts.certificates(), audience="https://processor")["azp"] == ACCOUNT


def test_a_scheduled_task_waits_for_its_time(turned: World, target: Target) -> None:
    when = timestamp_pb2.Timestamp(seconds=int(turned.clock.time()) + 100)
    queue = turned.queue("q")
    turned.task(queue, target.url, "later", schedule_time=when)
    turned.task(queue, target.url, "now")

    target.wait_for(1)
    turned.turn(100)

    assert [r.headers["X-CloudTasks-TaskName"] for r in target.wait_for(2)] == ["now", "later"]


def test_the_queue_limits_concurrent_attempts(world: World, target: Target) -> None:
    target.gate.clear()
    queue = world.queue("q", rate_limits={"max_concurrent_dispatches": 3})
    for _ in range(10):
        world.task(queue, target.url)
    target.wait_for(3)

    target.gate.set()

    target.wait_for(10)
    assert target.most_at_once == 3


def test_a_queue_dispatches_a_burst_and_then_at_its_rate(turned: World, target: Target) -> None:
    queue = turned.queue("q", rate_limits={"max_dispatches_per_second": 1})
    names = [turned.task(queue, target.url) for _ in range(13)]
    target.wait_for(10)
    assert turned.client.get_task(name=names[10]).dispatch_count == 0

    turned.turn(1)

    assert len(target.wait_for(11)) == 11
    assert turned.client.get_task(name=names[11]).dispatch_count == 0
    turned.turn(2)
    assert len(target.wait_for(13)) == 13


def test_a_stuck_queue_delays_no_other(world: World, target: Target) -> None:
    stuck = world.queue("stuck", rate_limits={"max_concurrent_dispatches": 1})
    target.gate.clear()
    world.task(stuck, target.url, "a")
    world.task(stuck, target.url, "b")
    target.wait_for(1)

    world.task(world.queue("free"), target.url, "c")

    assert [r.headers["X-CloudTasks-TaskName"] for r in target.wait_for(2)] == ["a", "c"]


def test_a_paused_queue_dispatches_only_runs(world: World, target: Target) -> None:
    queue = world.queue("q")
    world.client.pause_queue(name=queue)
    names = [world.task(queue, target.url, id_) for id_ in ("a", "b")]

    shown = world.client.run_task(name=names[1])
    eventually(lambda: is_gone(world, names[1]), "the task to be run")
    assert shown.dispatch_count == 1
    assert not shown.last_attempt.response_time
    assert [r.headers["X-CloudTasks-TaskName"] for r in target.received] == ["b"]

    world.client.resume_queue(name=queue)
    assert len(target.wait_for(2)) == 2


def test_a_task_deleted_while_it_runs_is_not_retried(world: World, target: Target) -> None:
    target.gate.clear()
    target.replies = [500]
    queue = world.queue("q", rate_limits={"max_concurrent_dispatches": 1}, retry_config={"min_backoff": {"nanos": 1_000_000}})
    name = world.task(queue, target.url, "t")
    target.wait_for(1)

    world.client.delete_task(name=name)
    world.task(queue, target.url, "next")
    target.gate.set()

    assert [r.headers["X-CloudTasks-TaskName"] for r in target.wait_for(2)] == ["t", "next"]


def test_a_queue_deleted_while_a_task_runs_starts_no_other(world: World, target: Target) -> None:
    target.gate.clear()
    target.replies = [500]
    limits = {"max_concurrent_dispatches": 1}
    queue = world.queue("q", rate_limits=limits, retry_config={"min_backoff": {"nanos": 1_000_000}})
    world.task(queue, target.url, "t")
    world.task(queue, target.url, "never")
    target.wait_for(1)

    world.client.delete_queue(name=queue)
    target.gate.set()
    world.task(world.queue("q"), target.url, "after")

    assert [r.headers["X-CloudTasks-TaskName"] for r in target.wait_for(2)] == ["t", "after"]


def test_new_limits_hold_at_once(world: World, target: Target) -> None:
    target.gate.clear()
    queue = world.queue("q", rate_limits={"max_concurrent_dispatches": 1})
    for _ in range(3):
        world.task(queue, target.url)
    target.wait_for(1)

    world.client.update_queue(queue=tasks_v2.Queue(name=queue, rate_limits={"max_concurrent_dispatches": 3}))

    assert len(target.wait_for(3)) == 3
