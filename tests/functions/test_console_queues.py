"""The page of the queues over HTTP: its numbers, its tasks, and pausing."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from werkzeug.test import Client, TestResponse

from shared.cloud.protocols import QueueState
from shared.model import File, Run
from shared.pipeline import enlist
from shared.testing import FakeCloud
from shared.testing_queues import FakeQueue
from tests.functions.calls import Load

HERE = {"host": "127.0.0.1:8088"}
HOSTILE = "<img src=x onerror=alert(1)>.jpg"


@pytest.fixture
def console(client: Load) -> Client:
    return client("console")


@pytest.fixture
def send(console: Client) -> Callable[..., TestResponse]:
    """Send the form of a page, with the token of that page."""

    def post(path: str, **fields: str) -> TestResponse:
        page = console.get(path, headers=HERE).text
        token = re.findall(r'name="token" value="([^"]+)"', page)[0]
        return console.post(path, data={"token": token, **fields}, headers=HERE)

    return post


Send = Callable[..., TestResponse]


def queue(cloud: FakeCloud, file: File) -> None:
    enlist(Run(file), cloud.routes.plan(file), cloud)


def text(page: str) -> str:
    """The text of a page, with single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_every_queue_shows_its_numbers(console: Client, cloud: FakeCloud, uploaded: Callable[..., File]) -> None:
    for number in range(3):
        queue(cloud, uploaded(f"{number}.jpg", b"x"))
    cloud.queue.running |= set(list(cloud.queue.added)[:1])
    page = text(console.get("/queues", headers=HERE).text)

    assert "2 waiting 1 running" in page
    assert "3 waiting 0 running" in page
    assert "now 1, at most 50 per second" in page


class Busy(FakeQueue):
    """Queues with 200 tasks each, of which 20 are running, and 60 deliveries in the last minute."""

    def state(self, queue: str) -> QueueState:
        return replace(super().state(queue), depth=200, running=20, last_minute=60)


def test_the_time_that_is_left_follows_from_the_last_minute(console: Client, cloud: FakeCloud) -> None:
    cloud.queue = Busy(paused={"digests"})
    shown = text(console.get("/queues", headers=HERE).text)

    assert shown.count("180 waiting 20 running") == 2
    assert shown.count("60 delivered, about 3 min to go") == 1


def test_a_queue_is_paused_and_resumed(send: Send, console: Client, cloud: FakeCloud) -> None:
    paused = send("/queues", pause="images")
    seen, held = console.get("/queues", headers=HERE).text, set(cloud.queue.paused)
    resumed = send("/queues", resume="images")

    assert [(answer.status_code, answer.location) for answer in (paused, resumed)] == [(303, "/queues#change-images")] * 2
    assert held == {"images"}
    assert "paused images: files wait there until it is resumed." in text(seen)
    assert cloud.queue.paused == set()


def test_all_queues_are_paused_and_resumed_at_once(send: Send, cloud: FakeCloud) -> None:
    send("/queues", pause="*")
    held = set(cloud.queue.paused)
    send("/queues", resume="*")

    assert (held, cloud.queue.paused) == ({"images", "digests"}, set())


def test_a_queue_has_a_page_of_its_own(send: Send, console: Client, cloud: FakeCloud, uploaded: Callable[..., File]) -> None:
    queue(cloud, uploaded(HOSTILE, b"x"))
    answer = send("/queues/digests", pause="digests")
    page = console.get("/queues/digests", headers=HERE).text

    assert answer.location == "/queues/digests#change-digests"
    assert HOSTILE not in page
    assert "&lt;img src=x onerror=alert(1)&gt;.jpg" in page
    assert 'id="change-images"' not in page


def test_a_page_shows_the_first_twenty_tasks(console: Client, cloud: FakeCloud, uploaded: Callable[..., File]) -> None:
    for number in range(21):
        queue(cloud, uploaded(f"{number}.txt", b"x", "text/plain"))
    last = list(cloud.queue.added)[-1]
    cloud.queue.running.add(last)
    page = console.get("/queues/digests", headers=HERE).text

    assert page.count('id="task-') == 20
    assert re.findall(r'id="task-([^"]+)"', page)[0] == last.partition("/")[2]
    assert "The first 20 tasks." in page


def test_a_task_leads_to_the_page_of_its_file_whatever_its_name(
    console: Client, cloud: FakeCloud, uploaded: Callable[..., File]
) -> None:
    """Browsers fold dots in a path: /files/a/../b is the page of another file."""
    queue(cloud, uploaded("a/../b.txt", b"x", "text/plain"))
    page = console.get("/queues/digests", headers=HERE).text

    assert re.findall(r'<a href="(/files/[^"]*)"', page) == ["/files/?name=a%2F..%2Fb.txt"]


@pytest.mark.parametrize("path", ["/queues/lost", "/queue-states/lost"])
def test_an_unknown_queue_is_not_found(console: Client, path: str) -> None:
    answer = console.get(path, headers=HERE)

    assert answer.status_code == 404
    assert "the queues are images, digests" in answer.text


@pytest.mark.parametrize(("fields", "status"), [({}, 400), ({"pause": "lost"}, 404)])
def test_a_wrong_form_changes_nothing(send: Send, cloud: FakeCloud, fields: dict[str, str], status: int) -> None:
    assert send("/queues", **fields).status_code == status
    assert cloud.queue.paused == set()


def test_a_form_without_the_token_of_the_page_is_refused(console: Client, cloud: FakeCloud) -> None:
    answer = console.post("/queues", data={"pause": "images"}, headers=HERE)

    assert answer.status_code == 403
    assert cloud.queue.paused == set()


def test_the_live_part_is_sent_once_while_nothing_changes(console: Client, send: Send) -> None:
    first = console.get("/queue-states", headers=HERE)
    again = console.get("/queue-states", headers={**HERE, "if-none-match": first.headers["etag"]})
    send("/queues", pause="images")
    changed = console.get("/queue-states", headers={**HERE, "if-none-match": first.headers["etag"]})

    assert [answer.status_code for answer in (first, again, changed)] == [200, 304, 200]


def test_many_viewers_cost_one_round_of_calls(console: Client, cloud: FakeCloud) -> None:
    first = console.get("/queue-states", headers=HERE).text
    cloud.queue.broken = True  # a second round would fail

    assert console.get("/queue-states", headers=HERE).text == first


def test_an_outage_of_the_queues_is_said(console: Client, cloud: FakeCloud) -> None:
    cloud.queue.broken = True
    answer = console.get("/queues", headers=HERE)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
