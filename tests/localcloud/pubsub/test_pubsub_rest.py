"""The REST surface, with plain HTTP requests."""

import gzip
import http.client
import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from localcloud.pubsub.http import MAX_BODY_BYTES
from tests.localcloud.pubsub.world import World


def call(world: World, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """HTTP status and JSON of an answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"http://127.0.0.1:{world.port}/v1/projects/local-project{path}", data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_rest_publishes_pulls_and_acknowledges(world: World) -> None:
    topic = "projects/local-project/topics/orders"
    assert call(world, "PUT", "/topics/orders", {})[1]["name"] == topic
    assert call(world, "PUT", "/subscriptions/orders-sub", {"topic": topic})[1]["ackDeadlineSeconds"] == 10
    _, published = call(world, "POST", "/topics/orders:publish", {"messages": [{"data": "aGk=", "attributes": {"a": "b"}}]})
    _, pulled = call(world, "POST", "/subscriptions/orders-sub:pull", {"maxMessages": 10})

    [received] = pulled["receivedMessages"]
    assert received["message"]["messageId"] == published["messageIds"][0]
    assert (received["message"]["data"], received["message"]["attributes"]) == ("aGk=", {"a": "b"})
    ack = {"ackIds": [received["ackId"]]}
    assert call(world, "POST", "/subscriptions/orders-sub:modifyAckDeadline", ack | {"ackDeadlineSeconds": 30}) == (200, {})
    assert call(world, "POST", "/subscriptions/orders-sub:acknowledge", ack) == (200, {})
    assert call(world, "POST", "/subscriptions/orders-sub:pull", {"maxMessages": 1, "returnImmediately": True}) == (200, {})


def test_a_pull_subscription_shows_an_empty_push_configuration(world: World) -> None:
    topic = world.topic("orders")
    made = call(world, "PUT", "/subscriptions/orders-sub", {"topic": topic})[1]
    call(world, "POST", "/subscriptions/orders-sub:modifyPushConfig", {"pushConfig": {"pushEndpoint": "http://127.0.0.1:9/"}})
    call(world, "POST", "/subscriptions/orders-sub:modifyPushConfig", {"pushConfig": {"attributes": {"x-goog-version": "v1"}}})

    assert made["pushConfig"] == {}
    assert call(world, "GET", "/subscriptions/orders-sub")[1] == made


def test_query_parameters_fill_the_request_except_system_parameters(world: World) -> None:
    for id_ in ("aaa", "bbb"):
        world.topic(id_)
    status, found = call(world, "GET", "/topics?pageSize=1&alt=json&prettyPrint=false&$.xgafv=2")

    assert (status, len(found["topics"])) == (200, 1)
    _, rest = call(world, "GET", f"/topics?pageToken={found['nextPageToken']}&$alt=json;enum-encoding=int")
    assert rest["topics"] == [{"name": "projects/local-project/topics/bbb", "state": 1}]


def test_a_patch_changes_only_masked_fields(world: World) -> None:
    subscription = world.subscription("changing", world.topic("orders"))
    body = {"subscription": {"ackDeadlineSeconds": 44}, "updateMask": "ackDeadlineSeconds"}
    status, changed = call(world, "PATCH", "/subscriptions/changing", body)

    assert (status, changed["name"], changed["ackDeadlineSeconds"]) == (200, subscription, 44)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("GET", "/topics/nowhere", None, 404, "Resource not found (resource=nowhere)."),
        ("PUT", "/topics/x", {}, 400, "Invalid [topics] name"),
        ("PUT", "/topics/orders", b"{", 400, "Invalid JSON payload received."),
        ("PUT", "/topics/orders", b'{"labels": {"a": "\\ud800"}}', 400, "surrogates not allowed"),
        ("PUT", "/topics/orders", b"[" * 100_000, 400, "recursion"),
        ("PUT", "/topics/orders", [], 400, "An object was expected"),
        ("PUT", "/topics/orders", {"colour": "red"}, 400, "colour"),
        ("PUT", "/topics/orders", {"kmsKeyName": "k"}, 405, "Topic.kms_key_name"),
        ("GET", "/topics?colour=red", None, 400, "colour"),
        ("GET", "/topics?pageToken=%25", None, 400, "page token"),
        ("POST", "/schemas?schemaId=s", {}, 405, "does not support POST /v1/projects/local-project/schemas"),
        ("GET", "/schemas/s", None, 405, "does not support GET /v1/projects/local-project/schemas/s"),
        ("GET", "/schemas?view=COLOUR", None, 400, "view"),
        ("POST", "/subscriptions/sub:seek", {}, 404, "Resource not found (resource=sub)."),
        ("POST", "/subscriptions/sub:sing", {}, 405, ":sing"),
        ("POST", "/subscriptions/sub:pull", {"maxMessages": "many"}, 400, "maxMessages"),
    ],
)
def test_a_refusal_is_json_with_a_reason(world: World, method: str, path: str, body: Any, status: int, said: str) -> None:
    code, answer = call(world, method, path, body)

    assert (code, answer["error"]["code"]) == (status, status)
    assert said in answer["error"]["message"]


def test_a_pull_whose_client_hangs_up_leases_no_message(world: World) -> None:
    topic = world.topic("orders")
    subscription = world.subscription("patient", topic)
    request = urllib.request.Request(
        f"http://127.0.0.1:{world.port}/v1/{subscription}:pull", json.dumps({"maxMessages": 1}).encode(), method="POST"
    )
    with pytest.raises(TimeoutError):
        urllib.request.urlopen(request, timeout=0.3)
    world.publish(topic, b"x")

    assert len(world.pull(subscription)) == 1


def post_gzip(world: World, path: str, body: bytes | list[bytes], encoding: str = "gzip") -> tuple[int, Any]:
    """POST a body with `Content-Encoding: gzip`, as Google's Java client does; chunked when it is a list."""
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=60)
    headers = {"Content-Type": "application/json; charset=UTF-8", "Content-Encoding": encoding}
    connection.request("POST", f"/v1/projects/local-project{path}", body, headers)
    with connection.getresponse() as answer:
        status, content = answer.status, json.load(answer)
    connection.close()
    return status, content


@pytest.mark.parametrize("encoding", ["gzip", "GZIP"])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_gzipped_body_is_decompressed(world: World, is_chunked: bool, encoding: str) -> None:
    topic = world.topic("orders")
    subscription = world.subscription("orders-sub", topic)
    body = gzip.compress(json.dumps({"messages": [{"data": "aGk="}]}).encode())

    status, published = post_gzip(world, "/topics/orders:publish", [body[:9], body[9:]] if is_chunked else body, encoding)

    assert (status, len(published.get("messageIds", []))) == (200, 1)
    assert [received.message.data for received in world.pull(subscription)] == [b"hi"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"messages": []}', "not valid gzip"),
        (gzip.compress(b'{"messages": []}')[:-9], "ends too early"),
        (gzip.compress(b" " * (MAX_BODY_BYTES + 1)), "exceeds the limit"),
    ],
    ids=["plain", "cut", "bomb"],
)
def test_a_faulty_gzip_body_is_refused(world: World, body: bytes, reason: str) -> None:
    world.topic("orders")

    status, refused = post_gzip(world, "/topics/orders:publish", body)

    assert status == 400
    assert reason in refused["error"]["message"]
