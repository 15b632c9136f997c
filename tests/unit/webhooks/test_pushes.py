"""A pushed notice becomes a task for each webhook that wants it, with the manifests that it is cut from."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.backfill_page import Page
from shared.errors import BadFile, Unavailable
from shared.events import Notice
from shared.model import File, Json, Run, file_id
from shared.plan import Plan, Task
from shared.sweep_part import Part
from shared.testing import FakeCloud
from shared.testing_queues import FakeQueue
from shared.webhooks import pushes
from shared.webhooks.deliveries import Delivery
from tests.unit.plans import chain, diamond, join, plan, step
from tests.unit.webhooks.worlds import ended, push, pushed, with_webhooks

ORDERS = '[webhooks.orders]\nurl = "https://orders.test/"\nsecret = "secret-manager:orders"\n'
STEPS = '[webhooks.steps]\nurl = "https://steps.test/"\nsecret = "secret-manager:steps"\nnotices = ["step"]\n'
FAILED = '[webhooks.failed]\nurl = "https://failed.test/"\nsecret = "secret-manager:failed"\nverdicts = ["failed", "dead"]\n'
Uploaded = Callable[..., File]

pytestmark = pytest.mark.usefixtures("script")


class Mortal(FakeQueue):
    """Queues; the process ends once, when it has queued a task for the first webhook."""

    is_killed = False

    def add(self, task: Task | Delivery | Part | Page) -> bool:
        if task.queue == "webhook-two" and not self.is_killed:
            self.is_killed = True
            raise KeyboardInterrupt
        return super().add(task)


@pytest.fixture
def cat(uploaded: Uploaded) -> File:
    return uploaded("a/cat.jpg", b"cat")


def test_each_webhook_gets_a_task_of_its_own_in_its_own_queue(cloud: FakeCloud, cat: File) -> None:
    with_webhooks(cloud, ORDERS, ORDERS.replace("orders", "others"))
    found = pushed(cloud, ended(cloud, Run(cat), chain()))

    assert [(one.queue, one.kind, one.event) for one in found] == [
        ("webhook-orders", "job", Run(cat).job_id),
        ("webhook-others", "job", Run(cat).job_id),
    ]


def test_a_webhook_gets_the_kinds_that_it_names(cloud: FakeCloud, cat: File) -> None:
    with_webhooks(cloud, STEPS)
    found = pushed(cloud, ended(cloud, Run(cat), chain()))

    assert [one.event.rpartition("-")[0] for one in found] == [f"{Run(cat).job_id}-a", f"{Run(cat).job_id}-b"]
    assert {one.kind for one in found} == {"step"}


def test_a_webhook_gets_the_verdicts_that_it_names(cloud: FakeCloud, cat: File, uploaded: Uploaded, script: Any) -> None:
    with_webhooks(cloud, FAILED)
    notices = ended(cloud, Run(cat), plan(step("a")))
    script.raises["a"] = BadFile("no cat", "corrupt")
    dog = uploaded("dog.jpg", b"dog")
    found = pushed(cloud, notices + ended(cloud, Run(dog), plan(step("a"))))

    assert [one.event for one in found] == [Run(dog).job_id]


def test_a_pipeline_without_webhooks_queues_nothing(cloud: FakeCloud, cat: File) -> None:
    notices = ended(cloud, Run(cat), chain())
    cloud.results.broken.add("names")

    assert pushed(cloud, notices) == []


LONG = plan(step("s0", "q1"), *(step(f"s{n}", f"q{n % 2 + 1}", after=(f"s{n - 1}",)) for n in range(1, 12)))


@pytest.mark.parametrize(
    ("steps", "names"),
    [
        (plan(step("a")), ["job.json"]),
        (chain(), ["job.json", "1-q2.json"]),
        (join(), ["job.json", "0-q1.json", "0-q2.json", "1-q3.json"]),
        (diamond(), ["job.json", "1-q2.json", "1-q3.json", "2-q1.json"]),
        (LONG, ["job.json", *(f"{n}-q{n % 2 + 1}.json" for n in range(1, 12))]),
        (Plan(), ["job.json"]),
    ],
    ids=["one", "chain", "join", "diamond", "long", "none"],
)
def test_a_task_names_all_manifests_in_the_order_of_their_tasks(
    cloud: FakeCloud, cat: File, steps: Plan, names: list[str]
) -> None:
    with_webhooks(cloud, ORDERS)
    (found,) = pushed(cloud, ended(cloud, Run(cat), steps))

    assert list(found.manifests) == [f"jobs/{cat.file_id}/{cat.generation}/0/{name}" for name in names]


def test_a_later_run_with_several_first_tasks_has_no_job_json(cloud: FakeCloud, cat: File) -> None:
    with_webhooks(cloud, ORDERS)
    (found,) = pushed(cloud, ended(cloud, Run(cat, 1), join()))

    assert found.event == f"{Run(cat).job_id}-r1"
    names = ["0-q1.json", "0-q2.json", "1-q3.json"]
    assert list(found.manifests) == [f"jobs/{cat.file_id}/{cat.generation}/1/{name}" for name in names]


def test_other_objects_of_a_run_are_no_manifests(cloud: FakeCloud, cat: File) -> None:
    folder = f"jobs/{cat.file_id}/{cat.generation}/0"
    for name in ("notes.txt", "x-q1.json", "1-.json", "deep/1-q1.json"):
        cloud.results.put(f"{folder}/{name}", b"{}")
    cloud.results.put(f"{folder}/job.json", b"{}")

    assert pushes.manifests(cloud.results, Run(cat)) == (f"{folder}/job.json",)


def test_a_repeat_queues_nothing_new(cloud: FakeCloud, cat: File) -> None:
    with_webhooks(cloud, ORDERS)
    notices = ended(cloud, Run(cat), chain())

    assert len(pushed(cloud, notices)) == 1
    assert pushed(cloud, notices + notices) == []


def test_a_queue_that_does_not_answer_keeps_no_other_webhook_waiting(cloud: FakeCloud, cat: File) -> None:
    with_webhooks(cloud, *(ORDERS.replace("orders", name) for name in ("one", "two", "three")))
    (*_, notice) = ended(cloud, Run(cat), chain())
    cloud.queue.down = {"webhook-one"}

    with pytest.raises(Unavailable, match="queue webhook-one"):
        pushes.receive(push(notice), cloud)
    assert [one.webhook for one in cloud.queue.deliveries.values()] == ["two", "three"]

    cloud.queue.down.clear()
    assert [one.webhook for one in pushed(cloud, [notice])] == ["one"]


def test_a_kill_between_two_tasks_loses_none(cloud: FakeCloud, cat: File) -> None:
    with_webhooks(cloud, *(ORDERS.replace("orders", name) for name in ("one", "two", "three")))
    (*_, notice) = ended(cloud, Run(cat), chain())
    cloud.queue = Mortal()

    with pytest.raises(KeyboardInterrupt):
        pushes.receive(push(notice), cloud)
    assert [one.webhook for one in pushed(cloud, [notice])] == ["two", "three"]


def test_a_list_that_fails_has_the_push_repeated(cloud: FakeCloud, cat: File) -> None:
    with_webhooks(cloud, ORDERS)
    notices = ended(cloud, Run(cat), chain())
    cloud.results.broken.add("names")

    with pytest.raises(Unavailable):
        pushed(cloud, notices)


def test_a_notice_whose_manifests_are_gone_is_not_queued(
    cloud: FakeCloud, cat: File, capsys: pytest.CaptureFixture[str]
) -> None:
    with_webhooks(cloud, ORDERS)
    notices = ended(cloud, Run(cat), chain())
    for name in list(cloud.results.names("jobs/")):
        del cloud.results.versions[name]

    assert pushed(cloud, notices) == []
    assert '"severity": "ERROR"' in capsys.readouterr().out


def changed(body: Json, **values: Any) -> Json:
    return {"message": body["message"] | values}


@pytest.mark.parametrize(
    "change",
    [
        lambda _body: {},
        lambda _body: {"message": []},
        lambda body: changed(body, attributes=None),
        lambda body: changed(body, attributes={}),
        lambda body: changed(body, attributes=body["message"]["attributes"] | {"ce-type": "sluice.job.finished.v9"}),
        lambda body: changed(body, attributes=body["message"]["attributes"] | {"ce-id": "a/../b"}),
        lambda body: changed(body, attributes=body["message"]["attributes"] | {"ce-id": "a" * 401}),
        lambda body: changed(body, attributes=body["message"]["attributes"] | {"verdict": ["failed"]}),
        lambda body: changed(body, data="no base64!"),
        lambda body: changed(body, data=None),
        lambda body: changed(body, data=base64.b64encode(b"[1]").decode()),
        lambda body: changed(body, data=base64.b64encode(b"[" * 100_000).decode()),
        lambda body: changed(body, data=base64.b64encode(b'{"file": {"bucket": 5}, "run": 0}').decode()),
        lambda body: changed(body, data=_of_file(body, file_id("others", "a/cat.jpg"), bucket="others")),
        lambda body: changed(body, data=_of_file(body, file_id("uploads", "dog.jpg"), name="a/cat.jpg")),
        lambda body: changed(body, data=_of_file(body, file_id("uploads", "a/cat.jpg"), name="\udcff")),
    ],
    ids=[
        "empty",
        "no object",
        "no attributes",
        "none of ours",
        "other type",
        "path in id",
        "long id",
        "verdict",
        "base64",
        "no data",
        "list",
        "deep",
        "no file",
        "other bucket",
        "other id",
        "no text",
    ],
)
def test_what_is_no_notice_of_ours_is_acknowledged(cloud: FakeCloud, cat: File, change: Callable[[Json], Json]) -> None:
    with_webhooks(cloud, ORDERS)
    (*_, notice) = ended(cloud, Run(cat), chain())
    cloud.results.broken.add("names")  # nothing of it is looked for
    pushes.receive(change(push(notice)), cloud)

    assert cloud.queue.deliveries == {}


def test_a_notice_of_another_bucket_is_ignored_though_it_has_manifests(cloud: FakeCloud, cat: File) -> None:
    with_webhooks(cloud, ORDERS)
    other = replace(cat, bucket="others")
    cloud.results.put(f"jobs/{other.file_id}/{other.generation}/0/job.json", b"{}")
    (*_, notice) = ended(cloud, Run(cat), chain())
    data = json.loads(notice.data) | {"file": other.to_json(), "file_id": other.file_id}

    assert pushed(cloud, [Notice(json.dumps(data).encode(), notice.attributes)]) == []


def _of_file(body: Json, identity: str, **fields: str) -> str:
    data = json.loads(base64.b64decode(body["message"]["data"]))
    return base64.b64encode(json.dumps(data | {"file": data["file"] | fields, "file_id": identity}).encode()).decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "file"},
        {"event": "a b"},
        {"event": 5},
        {"manifests": "jobs/a"},
        {"manifests": ["files/secret"]},
        {"manifests": [5]},
        {"manifests": ["jobs/\ud800"]},
        {"manifests": ["jobs/" + "a" * 1020]},
        {"since": "soon"},
        {"since": 10**400},
        {"since": 253_402_300_800},
        {"since": -1},
        {"webhook": None, "since": None},
    ],
)
def test_a_malformed_task_is_refused(wrong: Json) -> None:
    right = {"webhook": "orders", "kind": "job", "event": "job-1", "manifests": ["jobs/a"], "since": 5}
    assert Delivery.from_json(right) == Delivery("orders", "job", "job-1", ("jobs/a",), 5)
    assert Delivery.from_json(right).to_json() == right

    with pytest.raises((LookupError, TypeError, ValueError)):
        Delivery.from_json(right | wrong)
