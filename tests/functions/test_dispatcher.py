"""The dispatcher over HTTP, as Pub/Sub pushes to it."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.model import File
from shared.testing import FakeCloud
from tests.functions.calls import PUSH_PATH, Load, push, refused


@pytest.mark.failure("T45")
def test_a_push_message_becomes_tasks(
    client: Load, cloud: FakeCloud, uploaded: Callable[..., File], bearer: Any, photo: bytes
) -> None:
    file = uploaded("a/cat.jpg", photo)
    dispatcher = client("dispatcher")
    answers = [dispatcher.post(PUSH_PATH, json=push(file), headers=bearer("push")) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert {one.name for task in cloud.queue.added.values() for one in task.steps} == {"digest", "thumbnails"}
    assert [task.file for task in cloud.queue.added.values()] == [file, file]


@pytest.mark.failure("T02")
def test_one_event_in_two_messages_is_one_task(
    client: Load, cloud: FakeCloud, uploaded: Callable[..., File], bearer: Any, photo: bytes
) -> None:
    file = uploaded("cat.jpg", photo)
    first, second = push(file), push(file)
    second["message"] |= {"messageId": "2", "message_id": "2", "publishTime": "2026-01-02T00:00:00Z"}
    dispatcher = client("dispatcher")

    names = []
    for body in (first, second):
        assert dispatcher.post(PUSH_PATH, json=body, headers=bearer("push")).status_code == 200
        names.append(sorted(cloud.queue.added))
    assert names[0] == names[1]


@pytest.mark.failure("T09")
def test_unknown_callers_are_refused_before_parsing(client: Load, cloud: FakeCloud, bearer: Any) -> None:
    dispatcher = client("dispatcher")

    refused(dispatcher.post(PUSH_PATH, data=b"not even json"), 401, "unauthorized")
    refused(dispatcher.post(PUSH_PATH, data=b"{}", headers={"authorization": "Bearer x.y.z"}), 401, "unauthorized")
    refused(dispatcher.post(PUSH_PATH, data=b"{}", headers=bearer("tasks")), 401, "unauthorized")
    assert cloud.dead_letters.notices == []


@pytest.mark.failure("T07")
@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[]", b"{}", b'{"message": {}}', b'{"message": {"data": ""}, "subscription": "x"}']
)
def test_a_malformed_push_goes_to_the_dead_letters(client: Load, cloud: FakeCloud, bearer: Any, body: bytes) -> None:
    answer = client("dispatcher").post(PUSH_PATH, data=body, headers=bearer("push"), content_type="application/json")

    assert answer.status_code == 200
    assert [letter.data for letter in cloud.dead_letters.notices] == [body or b"(empty)"]
    assert "Bearer" not in answer.text


@pytest.mark.failure("T13")
def test_a_message_is_delivered_again_while_the_queue_is_down(
    client: Load, cloud: FakeCloud, uploaded: Any, bearer: Any, photo: bytes
) -> None:
    cloud.queue.broken = True
    answer = client("dispatcher").post(PUSH_PATH, json=push(uploaded("cat.jpg", photo)), headers=bearer("push"))

    refused(answer, 503, "unavailable")
    assert answer.headers["retry-after"]


@pytest.mark.failure("T08")
def test_an_oversized_push_is_refused_before_it_is_read(client: Load, bearer: Any) -> None:
    refused(client("dispatcher").post(PUSH_PATH, data=bytes(2 << 20), headers=bearer("push")), 413, "too_large")


@pytest.mark.failure("T07")
def test_a_malformed_push_is_delivered_again_while_the_dead_letters_are_down(
    client: Load, cloud: FakeCloud, bearer: Any
) -> None:
    cloud.dead_letters.broken = True

    answer = client("dispatcher").post(PUSH_PATH, data=b"[]", headers=bearer("push"), content_type="application/json")

    refused(answer, 503, "unavailable")


def test_another_method_is_refused_with_the_right_one(client: Load, bearer: Any) -> None:
    answer = client("dispatcher").get(PUSH_PATH, headers=bearer("push"))

    assert "see the Allow header" in refused(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["allow"]
