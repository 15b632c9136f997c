"""tasks:buffer: a request body becomes a task for the queue's HTTP target."""

import pytest

from tests.localcloud.target import Target
from tests.localcloud.tasks.world import World, raw


def test_a_buffered_task_goes_to_the_target_of_its_queue(world: World, target: Target) -> None:
    host, port = target.url.removeprefix("http://").split(":")
    override = {"scheme": "HTTP", "host": host, "port": int(port), "path_override": {"path": "/hook"}}
    queue = world.queue("q", http_target={"uri_override": override})

    status, answer = raw(world, "POST", f"/v2/{queue}/tasks/mine:buffer", b'{"a": 1}', **{"Content-Type": "application/json"})

    request = target.wait_for(1)[0]
    assert (status, answer["task"]["name"]) == (200, f"{queue}/tasks/mine")
    assert (request.path, request.body, request.headers["Content-Type"]) == ("/hook", b'{"a": 1}', "application/json")
    assert raw(world, "POST", f"/v2/{queue}/tasks:buffer")[0] == 200
    assert target.wait_for(2)[1].body == b""


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        (b'{"body":"hello"}', None),
        (b'{"body":{"a":1}}', None),
        (b'{"body":null}', None),
        (b'["a"]', None),
        (b'"a"', None),
        (b"{", None),
        (b" ", None),
        (b'{"body":{"data":"aGVsbG8="}}', b"hello"),
    ],
)
def test_json_that_is_not_an_http_body_is_buffered_unchanged(
    world: World, target: Target, sent: bytes, body: bytes | None
) -> None:
    host, port = target.url.removeprefix("http://").split(":")
    queue = world.queue("q", http_target={"uri_override": {"scheme": "HTTP", "host": host, "port": int(port)}})

    assert raw(world, "POST", f"/v2/{queue}/tasks:buffer", sent, **{"Content-Type": "application/json"})[0] == 200
    assert target.wait_for(1)[0].body == (sent if body is None else body)


def test_buffering_needs_a_host_on_the_queue(world: World) -> None:
    status, answer = raw(world, "POST", f"/v2/{world.queue('q')}/tasks:buffer", b"x")

    assert (status, answer["error"]["status"]) == (400, "FAILED_PRECONDITION")
