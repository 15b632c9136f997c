"""`./sluice rerun` and `cancel`: chosen, counted and priced first; begun by --yes, and never twice."""

import json
import os
import signal
from collections.abc import Iterator
from itertools import count

import pytest

from cli.exits import Code
from shared.backfill_page import Page
from shared.plan import Task
from shared.sweep_part import Part
from shared.testing import FakeCloud
from shared.testing_queues import FakeQueue
from shared.webhooks.deliveries import Delivery
from tests.cli.conftest import Send, Sluice, Work


def tasks(cloud: FakeCloud) -> list[str]:
    return [task.run.job_id for queue in cloud.routes.queues for task, _ in cloud.queue.tasks(queue)]


def test_nothing_begins_without_yes(sluice: Sluice, send: Send, work: Work, cloud: FakeCloud) -> None:
    send("a.png", b"no picture")
    work()

    done = sluice("rerun", "--verdict", "failed")

    assert (done.code, tasks(cloud)) == (0, [])
    assert "1 of 1 can run again: at least 8 calls, $0.0000" in done.err


def test_yes_begins_the_next_run_of_each_chosen_file(sluice: Sluice, send: Send, work: Work, cloud: FakeCloud) -> None:
    first, _ = send("a.png", b"no picture"), send("b.png", b"")
    work()

    done = sluice("rerun", "--verdict", "failed", "--yes", "--format", "name")

    assert (done.code, tasks(cloud)) == (0, [f"{first.file_id}-{first.generation}-r1"])
    assert done.lines == tasks(cloud)


def test_each_run_says_which_request_began_it(sluice: Sluice, send: Send, work: Work) -> None:
    send("a.png", b"no picture")
    work()

    done = sluice("rerun", "--verdict", "failed", "--since", "9999w", "--yes", "--format", "json")

    (begun,) = json.loads(done.out)
    assert f"request {begun['request']}; if it is cut off, repeat the command with --request {begun['request']}" in done.err
    assert " --since 18" in done.err  # not an age, which would be another time by then


def test_one_unknown_name_keeps_no_other_file_from_being_cancelled(sluice: Sluice, send: Send, picture: bytes) -> None:
    send("a.png", picture)

    done = sluice("cancel", "never.png", "a.png", "--format", "name")

    assert (done.code, done.lines) == (1, ["a.png"])
    assert done.err.startswith("error: no object 'never.png' found")


def test_a_request_that_is_repeated_begins_nothing_twice(sluice: Sluice, send: Send, work: Work, cloud: FakeCloud) -> None:
    send("a.png", b"no picture")
    work()

    states = []
    for _ in range(3):
        done = sluice("rerun", "a.png", "--yes", "--request", "mine", "--format", "json")
        states.append(json.loads(done.out)[0]["state"])
        work()

    assert states == ["begun", "resumed", "resumed"]
    assert len(list(cloud.results.names("index/rerun/"))) == 1


@pytest.mark.parametrize("chosen", [["a.png"], ["--name", "*.png"]])
def test_a_file_in_work_is_not_ready(sluice: Sluice, send: Send, picture: bytes, chosen: list[str]) -> None:
    send("a.png", picture)

    dry, real = sluice("rerun", *chosen, "--format", "json"), sluice("rerun", *chosen, "--yes", "--format", "json")

    assert [json.loads(done.out)[0]["state"] for done in (dry, real)] == ["processing", "processing"]
    assert (dry.code, real.code) == (1, 1)
    assert "0 of 1 can run again" in dry.err
    assert "still in work, to be skipped: a.png" in dry.err
    remedy = "./sluice show has the remedy in case its task was lost"
    assert json.loads(real.out)[0]["message"] == f"the file is still in work; {remedy}"


def test_a_later_run_in_work_is_queued_again(sluice: Sluice, send: Send, work: Work, picture: bytes, cloud: FakeCloud) -> None:
    send("a.png", picture)
    work()
    sluice("rerun", "a.png", "--yes")
    cloud.queue.added.clear()
    done = sluice("rerun", "a.png", "--yes", "--format", "json")

    again = "run 1 was queued again in case its task was lost"
    assert (done.code, json.loads(done.out)[0]["message"]) == (1, f"the file is still in work; {again}")
    assert [task.run.number for task in cloud.queue.added.values()] == [1]


def test_a_named_file_shows_how_it_ended(sluice: Sluice, send: Send, work: Work) -> None:
    send("a.png", b"no picture")
    work()

    done = sluice("rerun", "a.png", "--format", "json")

    (row,) = json.loads(done.out)
    assert (row["state"], row["verdict"], row["reason"]) == ("ready", "failed", "not_a_picture")


class Interrupted(FakeQueue):
    """A queue; while the third task is added, Ctrl-C is pressed."""

    def __init__(self, before: FakeQueue) -> None:
        super().__init__(dict(before.added), set(before.deleted))
        self._numbers = count(1)  # exact also where threads add tasks at once

    def add(self, task: Task | Delivery | Part | Page) -> bool:
        is_new = super().add(task)
        if next(self._numbers) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return is_new


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT as in a terminal. A shell's background job ignores it, and so do its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_prints_what_had_begun(sluice: Sluice, send: Send, work: Work, cloud: FakeCloud) -> None:
    for number in range(30):
        send(f"{number}.png", b"no picture")
    work()
    cloud.queue = Interrupted(cloud.queue)

    done = sluice("rerun", "--verdict", "failed", "--yes", "--rate", "50", "--quiet", "--format", "json")

    begun = json.loads(done.out)
    claims = cloud.results.names("index/rerun/")
    assert done.code == Code.INTERRUPTED
    assert 3 <= len(begun) < 30
    assert {one["job_id"] for one in begun} == {name.partition("/rerun/")[2].partition("-")[2] for name in claims}
    assert f"to go on, repeat the command with --request {begun[0]['request']}\n" in done.err
