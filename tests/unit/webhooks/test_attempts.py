"""A task of the notifier ends by its receiver's answer: delivered, again, paused, or given up after three days."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Official

from shared import log
from shared.errors import Unavailable
from shared.model import File, Run
from shared.testing import FakeCloud
from shared.webhooks import attempts
from shared.webhooks.attempts import Ended, World
from shared.webhooks.deliveries import Delivery
from tests.receivers import SECRET, Receiver, receiving
from tests.unit.plans import chain
from tests.unit.webhooks.worlds import ended, pushed, with_webhooks

NOW = 1_795_852_017
THREE_DAYS = 259_200
WORLD = World(now=lambda: NOW + 0.9)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("SLUICE_SECRET_TEST", SECRET)
    with receiving(Receiver()) as made:
        yield made


@pytest.fixture
def delivery(cloud: FakeCloud, uploaded: Callable[..., File], receiver: Receiver, script: Any) -> Delivery:
    """The delivery of a job's notice, queued just now."""
    cloud.settings = replace(cloud.settings, webhook_loopback=True)
    with_webhooks(cloud, receiver.toml("orders"))
    (made,) = pushed(cloud, ended(cloud, Run(uploaded("a/cat.jpg", b"cat")), chain()))
    return replace(made, since=NOW)


def logged(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The last log line."""
    line: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return line


def test_a_notice_is_posted_with_its_signature(cloud: FakeCloud, delivery: Delivery, receiver: Receiver) -> None:
    assert attempts.attempt(delivery, cloud, WORLD) == Ended(200, "delivered", "answered 204")

    (posted,) = receiver.posted
    event = json.loads(posted.body)
    published = cloud.completions.notices[-1]
    assert posted.path == "/hook?for=sluice"
    assert posted.headers["content-type"] == "application/cloudevents+json"
    assert posted.headers["webhook-timestamp"] == str(NOW)
    assert posted.id == event["id"] == published.attributes["ce-id"] == delivery.event
    assert (event["type"], event["verdict"]) == ("sluice.job.finished.v1", "succeeded")
    assert posted.body.endswith(b',"data":' + published.data + b"}")


def test_the_official_library_verifies_what_comes(cloud: FakeCloud, delivery: Delivery, receiver: Receiver) -> None:
    attempts.attempt(delivery, cloud)

    (posted,) = receiver.posted
    assert Official(SECRET).verify(posted.body, dict(posted.headers))["id"] == delivery.event


def test_each_attempt_has_its_own_time_and_the_same_id(cloud: FakeCloud, delivery: Delivery, receiver: Receiver) -> None:
    for seconds in (0, 600):
        attempts.attempt(delivery, cloud, World(now=lambda seconds=seconds: NOW + seconds))  # type: ignore[misc]
    first, second = receiver.posted

    assert (first.id, first.body) == (second.id, second.body)
    assert [one.headers["webhook-timestamp"] for one in (first, second)] == [str(NOW), str(NOW + 600)]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


@pytest.mark.parametrize("status", [301, 400, 401, 404, 429, 500, 503])
def test_any_other_status_has_the_notice_delivered_again(
    cloud: FakeCloud, delivery: Delivery, receiver: Receiver, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.status, receiver.body = status, b"not today"
    found = attempts.attempt(delivery, cloud, WORLD)

    assert (found.status, found.state, found.headers) == (502, "failed", {})
    assert found.message.startswith(f"answered {status}")
    line = logged(capsys)
    assert (line["severity"], line["webhook"], line["event"]) == ("WARNING", "orders", delivery.event)


@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_that_the_receiver_asks_for_is_passed_on(
    cloud: FakeCloud, delivery: Delivery, receiver: Receiver, status: int
) -> None:
    receiver.status, receiver.answers = status, {"Retry-After": "120"}
    found = attempts.attempt(delivery, cloud, WORLD)

    assert (found.status, found.headers) == (503, {"retry-after": "120"})


def test_410_pauses_the_queue_of_this_webhook_and_keeps_the_task(
    cloud: FakeCloud, delivery: Delivery, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.status = 410
    found = attempts.attempt(replace(delivery, since=NOW - 2 * THREE_DAYS), cloud, WORLD)

    assert (found.status, found.state) == (502, "paused")
    assert cloud.queue.paused == {"webhook-orders"}
    line = logged(capsys)
    assert (line["severity"], line["message"]) == ("ERROR", "a webhook is paused: its receiver answered 410")
    assert line["webhook"] == "orders"


def test_a_pause_that_fails_has_the_task_delivered_again(cloud: FakeCloud, delivery: Delivery, receiver: Receiver) -> None:
    receiver.status = 410
    cloud.queue.broken = True

    with pytest.raises(Unavailable):
        attempts.attempt(delivery, cloud, WORLD)


@pytest.mark.parametrize(("age", "state"), [(THREE_DAYS - 1, "failed"), (THREE_DAYS, "given_up")])
def test_an_attempt_that_fails_after_three_days_is_the_last(
    cloud: FakeCloud, delivery: Delivery, receiver: Receiver, age: int, state: str
) -> None:
    receiver.status = 500
    found = attempts.attempt(replace(delivery, since=NOW - age), cloud, WORLD)

    assert (found.state, found.status) == (state, 200 if state == "given_up" else 502)


def test_giving_up_is_an_error_with_the_id(
    cloud: FakeCloud, delivery: Delivery, receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    receiver.status, receiver.body = 500, b"\x1b[31msecret" + b"x" * 5000
    attempts.attempt(replace(delivery, since=NOW - THREE_DAYS), cloud, WORLD)
    line = logged(capsys)

    assert (line["severity"], line["message"]) == ("ERROR", "gave up a notice of a webhook")
    assert (line["webhook"], line["event"]) == ("orders", delivery.event)
    assert line["answer"].startswith("answered 500: [31msecretxxx")
    assert len(line["answer"]) < 250


def test_an_attempt_is_on_the_timeline_of_its_job_and_a_test_on_none(
    cloud: FakeCloud, delivery: Delivery, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = []
    for one in (delivery, Delivery(delivery.webhook, "test", "test-1", (), NOW)):
        log.begin("demo", "")
        attempts.attempt(one, cloud, WORLD)
        lines.append(logged(capsys))

    assert [line.get("file_id") for line in lines] == [delivery.event.partition("-")[0], None]
    assert [line["webhook"] for line in lines] == ["orders", "orders"]


def test_a_notice_that_is_old_is_tried_all_the_same(cloud: FakeCloud, delivery: Delivery) -> None:
    """Its queue may have been paused for long."""
    assert attempts.attempt(replace(delivery, since=NOW - 5 * THREE_DAYS), cloud, WORLD).state == "delivered"


def test_a_receiver_that_is_down_is_tried_again(cloud: FakeCloud, delivery: Delivery, receiver: Receiver) -> None:
    with_webhooks(cloud, receiver.toml("orders").replace(str(receiver.port), "1"))
    found = attempts.attempt(delivery, cloud, WORLD)

    assert (found.status, found.state) == (502, "failed")
    assert found.message == "http://127.0.0.1:1 is not reached, or broke off: Connection refused"


def test_a_receiver_on_this_computer_is_refused_without_the_setting(
    cloud: FakeCloud, delivery: Delivery, receiver: Receiver
) -> None:
    cloud.settings = replace(cloud.settings, webhook_loopback=False)

    assert "SLUICE_WEBHOOK_LOOPBACK=1" in attempts.attempt(delivery, cloud, WORLD).message
    assert receiver.posted == []


def test_a_new_secret_counts_at_once(cloud: FakeCloud, delivery: Delivery, receiver: Receiver, tmp_path: Path) -> None:
    cloud.settings = replace(cloud.settings, webhook_secrets=tmp_path)
    with_webhooks(cloud, receiver.toml("orders", "secret-manager:orders"))
    (tmp_path / "orders").mkdir()
    secret = tmp_path / "orders" / "value"
    with pytest.raises(Unavailable, match=r"^the secret of webhook orders, "):
        attempts.attempt(delivery, cloud, WORLD)
    assert receiver.posted == []

    secret.write_text(f"{SECRET}\n")
    attempts.attempt(delivery, cloud)
    other = "whsec_" + "b2xk" * 8
    secret.write_text(f"{other}\n{SECRET}\n")
    attempts.attempt(delivery, cloud)

    first, second = receiver.posted
    Official(SECRET).verify(first.body, dict(first.headers))
    for one in (other, SECRET):
        Official(one).verify(second.body, dict(second.headers))


@pytest.mark.parametrize("fault", ["secret", "webhook"])
def test_what_the_notifier_lacks_is_waited_for_three_days(
    cloud: FakeCloud, delivery: Delivery, receiver: Receiver, fault: str
) -> None:
    if fault == "secret":
        with_webhooks(cloud, receiver.toml("orders", "env:SLUICE_SECRET_OTHER"))
    else:
        with_webhooks(cloud)
    with pytest.raises(Unavailable):
        attempts.attempt(replace(delivery, since=NOW - THREE_DAYS + 1), cloud, WORLD)

    assert attempts.attempt(replace(delivery, since=NOW - THREE_DAYS), cloud, WORLD).state == "given_up"
    assert receiver.posted == []


def test_a_secret_that_is_mistyped_while_the_notifier_runs_is_an_error_for_operators(
    cloud: FakeCloud,
    delivery: Delivery,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SLUICE_SECRET_TEST", SECRET.removeprefix("whsec_"))
    with pytest.raises(Unavailable):
        attempts.attempt(delivery, cloud, WORLD)

    line = logged(capsys)  # its words are those of the alert
    assert (line["severity"], line["message"]) == ("ERROR", "a webhook has no secret")
    assert (line["webhook"], line["event"]) == ("orders", delivery.event)
    assert line["error"].startswith("the secret of webhook orders, ")
    assert receiver.posted == []


def test_manifests_that_are_gone_are_given_up(cloud: FakeCloud, delivery: Delivery, receiver: Receiver) -> None:
    del cloud.results.versions[delivery.manifests[1]]
    found = attempts.attempt(delivery, cloud, WORLD)

    assert (found.status, found.state) == (200, "given_up")
    assert receiver.posted == []


def test_an_outage_of_storage_has_the_task_delivered_again(cloud: FakeCloud, delivery: Delivery) -> None:
    cloud.results.broken.add("read")

    with pytest.raises(Unavailable):
        attempts.attempt(delivery, cloud, WORLD)


def test_a_test_is_an_event_of_its_own(cloud: FakeCloud, delivery: Delivery, receiver: Receiver) -> None:
    test = Delivery(delivery.webhook, "test", "test-1", (), NOW)
    assert attempts.attempt(test, cloud).state == "delivered"

    (posted,) = receiver.posted
    event = Official(SECRET).verify(posted.body, dict(posted.headers))
    assert (event["type"], event["id"], event["time"]) == ("sluice.webhook.test.v1", "test-1", "2026-11-28T07:46:57.000Z")
    assert event["source"] == "//storage.googleapis.com/uploads"
