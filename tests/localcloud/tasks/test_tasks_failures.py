"""Failed attempts: when a task is retried, with which headers, and when it is given up."""

from google.cloud import tasks_v2
from google.protobuf import duration_pb2, timestamp_pb2

from localcloud.protobuf import seconds
from tests.eventually import eventually
from tests.localcloud.target import Target
from tests.localcloud.tasks.world import World, is_gone


def attempted(world: World, name: str, times: int) -> tasks_v2.Task:
    """The task, as soon as `times` attempts have ended."""

    def found() -> tasks_v2.Task | None:
        task = world.client.get_task(name=name)
        return task if task.dispatch_count == times and task.last_attempt.response_time else None

    return eventually(found, f"{times} attempts")


def pause_seconds(task: tasks_v2.Task) -> float:
    """Seconds from the end of the last attempt to the next."""
    message = tasks_v2.Task.pb(task)
    return seconds(message.schedule_time) - seconds(message.last_attempt.response_time)


def test_a_failed_task_is_retried_on_schedule_with_headers_about_it(turned: World, target: Target) -> None:
    retry = {"min_backoff": {"seconds": 10}, "max_backoff": {"seconds": 300}, "max_doublings": 3, "max_attempts": 9}
    queue = turned.queue("q", retry_config=retry)
    target.replies = [500, 404, 500, 503, 500, 500, 500, 500, 500]
    name = turned.task(queue, target.url, "t")

    pauses = []
    for attempt in range(1, 9):
        task = attempted(turned, name, attempt)
        pauses.append(round(pause_seconds(task), 3))
        turned.turn(pauses[-1])
    target.wait_for(9)
    eventually(lambda: is_gone(turned, name), "the task to be given up")

    assert pauses == [10, 20, 40, 80, 160, 240, 300, 300]
    heard = [request.headers for request in target.received]
    assert [h["X-CloudTasks-TaskRetryCount"] for h in heard] == [str(n) for n in range(9)]
    assert [h["X-CloudTasks-TaskExecutionCount"] for h in heard[:5]] == ["0", "0", "1", "1", "1"]
    assert [h.get("X-CloudTasks-TaskPreviousResponse") for h in heard[:5]] == [None, "500", "404", "500", "503"]
    assert "X-CloudTasks-TaskRetryReason" in heard[1]


def test_a_failed_task_shows_its_attempts(world: World, target: Target) -> None:
    target.replies = [500]
    name = world.task(world.queue("q", retry_config={"min_backoff": {"seconds": 60}}), target.url)

    task = attempted(world, name, 1)

    assert (task.dispatch_count, task.response_count) == (1, 1)
    assert task.last_attempt.response_status.message == "INTERNAL(13): HTTP status code 500"
    assert task.first_attempt.dispatch_time == task.last_attempt.dispatch_time


def test_an_unreachable_target_is_retried(world: World) -> None:
    name = world.task(world.queue("q", retry_config={"min_backoff": {"seconds": 60}}), "http://127.0.0.1:9/")

    task = attempted(world, name, 1)

    assert task.response_count == 0
    assert task.last_attempt.response_status.code == 14


def test_an_answer_after_the_deadline_is_ignored(turned: World, target: Target) -> None:
    target.gate.clear()
    queue = turned.queue("q", retry_config={"min_backoff": {"seconds": 60}})
    name = turned.task(queue, target.url, dispatch_deadline=duration_pb2.Duration(seconds=15))
    target.wait_for(1)

    turned.turn(14)
    assert not turned.client.get_task(name=name).last_attempt.response_time
    turned.turn(1)

    assert attempted(turned, name, 1).last_attempt.response_status.code == 4
    target.gate.set()


def test_retry_after_of_an_overloaded_target_stops_the_whole_queue(turned: World, target: Target) -> None:
    queue = turned.queue("q")
    target.replies = [(429, {"Retry-After": "90"})]
    first = turned.task(queue, target.url, "first")
    assert pause_seconds(attempted(turned, first, 1)) == 90

    second = turned.task(queue, target.url, "second")
    turned.turn(89)
    assert turned.client.get_task(name=second).dispatch_count == 0
    turned.turn(2)

    assert len(target.wait_for(3)) == 3


def test_a_redirect_is_followed_and_not_counted(world: World, target: Target) -> None:
    target.replies = [(307, {"Location": "/elsewhere"}), 500]
    queue = world.queue("q", retry_config={"min_backoff": {"seconds": 60}})
    name = world.task(queue, f"{target.url}/here", http_request={"body": b"b"})

    assert attempted(world, name, 1).dispatch_count == 1
    assert [(r.path, r.body) for r in target.received] == [("/here", b"b"), ("/elsewhere", b"b")]


def test_the_retries_of_a_run_start_at_the_run(turned: World, target: Target) -> None:
    target.replies = [500]
    queue = turned.queue("q", retry_config={"min_backoff": {"seconds": 10}})
    when = timestamp_pb2.Timestamp(seconds=int(turned.clock.time()) + 5000)
    name = turned.task(queue, target.url, "t", schedule_time=when)

    turned.client.run_task(name=name)

    assert pause_seconds(attempted(turned, name, 1)) == 10
    turned.turn(10)
    eventually(lambda: is_gone(turned, name), "the retry")


def test_a_task_is_given_up_when_both_limits_are_reached(turned: World, target: Target) -> None:
    retry = {"max_attempts": 2, "max_retry_duration": {"seconds": 25}, "min_backoff": {"seconds": 10}, "max_doublings": 1}
    target.replies = [500] * 10
    name = turned.task(turned.queue("q", retry_config=retry), target.url, "t")

    for attempt, pause in ((1, 10), (2, 20)):
        assert pause_seconds(attempted(turned, name, attempt)) == pause
        turned.turn(pause)

    eventually(lambda: is_gone(turned, name), "the task to be given up")
    assert len(target.received) == 3
