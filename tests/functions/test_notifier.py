"""The notifier over HTTP, as Pub/Sub pushes to it and Cloud Tasks delivers to it."""

import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import Client

from localcloud.accounts import Accounts
from shared.errors import BadConfiguration
from shared.model import File, Json, Run
from shared.testing import FakeCloud
from tests.functions.calls import Load, refused
from tests.receivers import SECRET, Receiver, receiving
from tests.unit.webhooks.worlds import ended, push, with_webhooks

PUSH = "/projects/local-project/topics/completions"
TASK = "/deliveries"
Bearer = Callable[[str], dict[str, str]]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("SLUICE_SECRET_TEST", SECRET)
    with receiving(Receiver()) as made:
        yield made


@pytest.fixture
def notifier(client: Load, cloud: FakeCloud, receiver: Receiver) -> Client:
    cloud.settings = replace(cloud.settings, webhook_loopback=True)
    with_webhooks(cloud, receiver.toml("orders"))
    return client("notifier")


@pytest.fixture
def bearer(accounts: Accounts, cloud: FakeCloud) -> Bearer:
    """The token of an account for the notifier."""
    return lambda who: {"authorization": f"Bearer {accounts.id_token(accounts.email(who), cloud.settings.notifier_url)}"}


@pytest.fixture
def pushed(cloud: FakeCloud, uploaded: Callable[..., File], photo: bytes) -> Json:
    """The push of a job's notice."""
    run = Run(uploaded("a/cat.jpg", photo))
    return push(ended(cloud, run, cloud.routes.plan(run.file))[-1])


def test_a_push_becomes_a_task_and_the_task_a_post(
    notifier: Client, cloud: FakeCloud, receiver: Receiver, bearer: Bearer, pushed: Json
) -> None:
    answers = [notifier.post(PUSH, json=pushed, headers=bearer("push")) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]

    (delivery,) = cloud.queue.deliveries.values()
    answer = notifier.post(TASK, json=delivery.to_json(), headers=bearer("tasks"))
    assert (answer.status_code, answer.json) == (200, {"state": "delivered", "message": "answered 204"})
    assert [one.id for one in receiver.posted] == [delivery.event]


def test_a_receiver_that_fails_has_the_task_delivered_again(
    notifier: Client, cloud: FakeCloud, receiver: Receiver, bearer: Bearer, pushed: Json
) -> None:
    notifier.post(PUSH, json=pushed, headers=bearer("push"))
    (delivery,) = cloud.queue.deliveries.values()
    receiver.status = 500
    first = notifier.post(TASK, json=delivery.to_json(), headers=bearer("tasks"))
    receiver.status, receiver.answers = 503, {"retry-after": "90"}
    second = notifier.post(TASK, json=delivery.to_json(), headers=bearer("tasks"))

    assert (first.status_code, "retry-after" in first.headers) == (502, False)
    assert (second.status_code, second.headers["retry-after"]) == (503, "90")


@pytest.mark.parametrize(
    ("path", "other"), [(PUSH, "tasks"), ("/", "tasks"), (TASK, "push"), (TASK, "stranger"), (PUSH, "stranger")]
)
def test_each_path_has_one_caller(
    notifier: Client, cloud: FakeCloud, receiver: Receiver, bearer: Bearer, path: str, other: str
) -> None:
    refused(notifier.post(path, data=b"not even json"), 401, "unauthorized")
    refused(notifier.post(path, data=b"{}", headers={"authorization": "Bearer x.y.z"}), 401, "unauthorized")
    refused(notifier.post(path, data=b"{}", headers=bearer(other)), 403, "forbidden")
    assert (cloud.queue.deliveries, receiver.posted) == ({}, [])


@pytest.mark.parametrize("path", ["/deliveries/", "//deliveries", "/Deliveries", "/deliveries/x", "/%64eliveries"])
def test_another_way_to_write_the_path_is_no_way_around(
    notifier: Client, bearer: Bearer, receiver: Receiver, path: str
) -> None:
    """A path is the tasks' or it is the push's: for the account, and for what is done."""
    delivery = {"webhook": "orders", "kind": "test", "event": "test-1", "manifests": [], "since": 5}
    answer = notifier.post(path, json=delivery, headers=bearer("push"))

    assert answer.status_code in (200, 308, 403)  # ignored as a push, sent elsewhere, or refused
    assert receiver.posted == []


@pytest.mark.parametrize(
    "body",
    [b"", b"not json", b"[]", b"{}", b'{"message": 5}', b'{"message": {"attributes": {}}}', b"[" * 100_000],
    ids=["empty", "text", "list", "object", "number", "attributes", "deep"],
)
def test_a_push_that_cannot_be_read_is_acknowledged(notifier: Client, cloud: FakeCloud, bearer: Bearer, body: bytes) -> None:
    answer = notifier.post(PUSH, data=body, headers=bearer("push"), content_type="application/json")

    assert answer.status_code == 200
    assert cloud.queue.deliveries == {}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"webhook": "orders", "kind": "job", "event": "a", "manifests": ["x"], "since": 1}', b"{" * 9]
)
def test_a_task_that_cannot_be_read_is_given_up(notifier: Client, bearer: Bearer, receiver: Receiver, body: bytes) -> None:
    answer = notifier.post(TASK, data=body, headers=bearer("tasks"))

    assert answer.status_code == 200
    assert (answer.json or {})["gave_up"] == "bad_json"
    assert receiver.posted == []


def test_a_task_of_a_webhook_of_a_newer_release_waits(notifier: Client, bearer: Bearer) -> None:
    delivery = {"webhook": "others", "kind": "test", "event": "test-1", "manifests": [], "since": int(time.time())}

    refused(notifier.post(TASK, json=delivery, headers=bearer("tasks")), 503, "unavailable")


def test_a_queue_that_is_down_has_the_push_repeated(notifier: Client, cloud: FakeCloud, bearer: Bearer, pushed: Json) -> None:
    cloud.queue.broken = True

    refused(notifier.post(PUSH, json=pushed, headers=bearer("push")), 503, "unavailable")


def test_a_notice_of_several_megabytes_is_taken(notifier: Client, cloud: FakeCloud, bearer: Bearer, pushed: Json) -> None:
    data = b64decode(pushed["message"]["data"])
    pushed["message"]["data"] = b64encode(data + b" " * 9_000_000).decode()
    answer = notifier.post(PUSH, json=pushed, headers=bearer("push"))

    assert answer.status_code == 200
    assert len(cloud.queue.deliveries) == 1


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:9/", "127.0.0.1 is this computer; set SLUICE_WEBHOOK_LOOPBACK=1"),
        ("https://localhost/", "localhost is this computer; set SLUICE_WEBHOOK_LOOPBACK=1"),
        ("https://169.254.169.254/", "169.254.169.254 is no public address"),
        ("https://[fd00::1]/", "fd00::1 is no public address"),
        ("https://10.0.0.1/", "10.0.0.1 is no public address"),
    ],
)
def test_a_notifier_with_a_url_that_no_delivery_reaches_does_not_start(
    client: Load, cloud: FakeCloud, url: str, why: str
) -> None:
    with_webhooks(cloud, f'[webhooks.orders]\nurl = "{url}"\nsecret = "env:SLUICE_SECRET_A"\n')

    with pytest.raises(BadConfiguration, match=r"^webhooks\.orders\.url: ") as refusal:
        client("notifier")
    assert why in refusal.value.message


def test_a_notifier_without_a_secret_starts_and_says_so(
    client: Load, cloud: FakeCloud, capsys: pytest.CaptureFixture[str]
) -> None:
    with_webhooks(cloud, '[webhooks.orders]\nurl = "https://orders.test/"\nsecret = "env:SLUICE_SECRET_A"\n')
    client("notifier")

    out: Any = capsys.readouterr().out
    assert "a webhook has no secret" in out
    assert "SLUICE_SECRET_A" in out
