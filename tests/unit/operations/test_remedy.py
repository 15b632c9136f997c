"""The remedy for a run without a task: each command that it names is tried, and does what it is named for."""

import itertools
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shared import index, pipeline
from shared.model import File, Json, Run
from shared.operations import backfill, bulk
from shared.operations.cancel import cancel
from shared.operations.listing import Query
from shared.operations.rerun import rerun
from shared.operations.show import show
from shared.operations.sweep import DAY_SECONDS, sweep
from shared.plan import Plan, Task
from shared.sweep_part import WINDOW_DAYS, Part
from shared.testing import FakeCloud
from tests.unit.operations import backfilling
from tests.unit.plans import Script, chain, join, plan, step
from tests.unit.working import Fixed, work

NAME = "cats/a b.jpg"
OLD = WINDOW_DAYS + 1
Put = Callable[..., File]
Lost = Callable[..., File]


@dataclass
class Routes(Fixed):
    """... with the queues that pipeline.toml has."""

    queues: dict[str, Any] = field(default_factory=lambda: {"q1": None, "q2": None, "q3": None})
    webhooks: dict[str, Any] = field(default_factory=dict)


def at(bucket: Any, days_ago: float) -> None:
    """The next objects of this bucket are created so long ago."""
    bucket._generations = itertools.count(int((time.time() - days_ago * DAY_SECONDS) * 10**6))


def lose(cloud: FakeCloud) -> None:
    """Purge the queues; they forget the names."""
    cloud.queue.added.clear()


@pytest.fixture
def lost(cloud: FakeCloud, uploaded: Put, script: Script) -> Lost:
    """A file whose task was lost after it was uploaded so many days ago, or after its run 1 was claimed then."""

    def make(days_ago: float, steps: Plan, claimed_days_ago: float | None = None) -> File:
        cloud.routes = Routes(steps)  # type: ignore[assignment]
        at(cloud.uploads, days_ago)
        file = uploaded(NAME, b"meow")
        if claimed_days_ago is None:
            pipeline.enlist(Run(file), steps, cloud)
        else:
            work(steps, cloud, file)
            at(cloud.results, claimed_days_ago)
            rerun(Run(file), steps, "request", cloud, fresh=True)
        lose(cloud)
        return file

    return make


def remedy(cloud: FakeCloud) -> Json | None:
    found: Json | None = show(NAME, cloud)["runs"][0].get("remedy")
    return found


def obey(cloud: FakeCloud, commands: list[str]) -> None:
    """Do what the commands do, and deliver what they queue."""
    acts: dict[str, Callable[..., object]] = {
        "resume": lambda *queues: cloud.queue.paused.difference_update(queues),
        "sweep": lambda: sweep(Part(int(time.time())), cloud, lambda: True),
        "backfill": lambda name, _: (backfill.begin(name, cloud), drain(cloud)),
        "rerun": lambda name, _: list(bulk.begin(bulk.choose([name], Query(), "today", cloud), "another", cloud)),
        "cancel": lambda name: cancel(name, cloud),
    }
    for line in commands:
        _, verb, *words = shlex.split(line)
        acts[verb](*words)
    deliver(cloud)


def drain(cloud: FakeCloud) -> bool:
    """Deliver the pages of a backfill and what they queue."""
    backfilling.run(cloud)
    return True


def deliver(cloud: FakeCloud) -> None:
    """Deliver every task once, but those of paused queues."""
    done: set[str] = set()
    while waiting := [name for name in cloud.queue.added if name not in done | cloud.queue.deleted]:
        done.update(waiting)
        for task in map(cloud.queue.added.__getitem__, waiting):
            if task.queue not in cloud.queue.paused:
                pipeline.process(task, 1, cloud)


@pytest.mark.parametrize(
    ("uploaded_days", "claimed_days", "command"),
    [
        (1, None, "./sluice sweep"),
        (WINDOW_DAYS - 0.1, None, "./sluice sweep"),
        (OLD, None, f"./sluice backfill '{NAME}' --yes"),
        (OLD + 9, WINDOW_DAYS - 0.1, "./sluice sweep"),
        (OLD + 9, OLD, f"./sluice rerun '{NAME}' --yes"),
    ],
)
@pytest.mark.parametrize("paused", [(), ("q2", "q1")])
@pytest.mark.parametrize("is_begun", [False, True])
def test_its_commands_end_the_run(
    cloud: FakeCloud,
    lost: Lost,
    uploaded_days: float,
    claimed_days: float | None,
    command: str,
    paused: tuple[str, ...],
    is_begun: bool,
) -> None:
    """Also where a younger manifest stands, and where a queue of a later step is paused."""
    steps = chain()
    file = lost(uploaded_days, steps, claimed_days)
    run = Run(file, 0 if claimed_days is None else 1)
    if is_begun:
        pipeline.process(Task(run, steps, steps.places[0]), 1, cloud)
        lose(cloud)
    cloud.queue.paused |= set(paused)
    found = remedy(cloud)

    is_done = is_begun and run.number == 0 and "backfill" not in command  # of a later run, the first task goes on
    left = [queue for queue in ("q1", "q2")[is_done:] if queue in paused]
    resume = [f"./sluice resume {' '.join(left)}"] if left else []
    assert found == {"steps": ["b" if is_begun else "a"], "when": "if this stays so", "commands": [*resume, command]}
    assert not index.has_entry(cloud.results, run)
    obey(cloud, found["commands"])
    assert index.has_entry(cloud.results, run, ["succeeded"])
    assert remedy(cloud) is None


def test_a_backfill_is_named_after_the_resume_of_its_own_queue(cloud: FakeCloud, lost: Lost) -> None:
    lost(OLD, plan(step("a")))
    cloud.queue.paused = {"sweeper"}
    found = remedy(cloud)

    assert found is not None
    assert found["commands"] == ["./sluice resume sweeper", f"./sluice backfill '{NAME}' --yes"]


@pytest.mark.parametrize("days_ago", [1, OLD])
def test_a_run_with_several_first_tasks_goes_on_from_them(cloud: FakeCloud, lost: Lost, days_ago: float) -> None:
    """They have ended, and the queue of one is paused."""
    steps = join()
    run = Run(lost(days_ago, steps))
    for place in steps.first:
        pipeline.process(Task(run, steps, place), 1, cloud)
    lose(cloud)
    cloud.queue.paused = {"q2"}
    found = remedy(cloud)

    assert found is not None
    assert (found["steps"], found["commands"][0]) == (["c"], "./sluice resume q2")
    obey(cloud, found["commands"])
    assert index.has_entry(cloud.results, run, ["succeeded"])


def test_a_sweep_is_named_with_the_time_from_which_it_looks_at_the_file(cloud: FakeCloud, lost: Lost) -> None:
    file = lost(0.01, plan(step("a")))
    first = datetime.fromtimestamp(file.generation // 10**6 + cloud.settings.sweep_after_seconds, UTC)
    found = remedy(cloud)

    assert found is not None
    assert found["when"] == f"if this stays so, from {first:%Y-%m-%d %H:%M:%S} UTC on"
    obey(cloud, found["commands"])
    assert cloud.queue.added == {}
    cloud.settings = replace(cloud.settings, sweep_after_seconds=60)
    assert remedy(cloud) == {"steps": ["a"], "when": "if this stays so", "commands": ["./sluice sweep"]}


@pytest.mark.parametrize("is_running", [False, True])
def test_a_sweep_is_left_until_the_other_tasks_of_the_run_have_ended(cloud: FakeCloud, lost: Lost, is_running: bool) -> None:
    steps = join()
    run = Run(lost(1, steps))
    task = Task(run, steps, steps.places[0])
    cloud.queue.add(task)
    cloud.queue.running |= {f"{task.queue}/{task.name}"} if is_running else set()
    found = remedy(cloud)

    assert found == {"steps": ["b"], "when": "if this stays so, once a ended", "commands": ["./sluice sweep"]}
    assert sweep(Part(int(time.time())), cloud, lambda: True).jobs["waiting"] == 1


@pytest.mark.parametrize("days_ago", [1, OLD])
def test_of_a_deleted_file_the_run_is_ended_by_hand(cloud: FakeCloud, lost: Lost, days_ago: float) -> None:
    file = lost(days_ago, join())
    del cloud.uploads.versions[NAME]
    found = remedy(cloud)

    assert found is not None
    assert (found["when"], found["commands"]) == ("its original was deleted; this ends it", [f"./sluice cancel '{NAME}'"])
    obey(cloud, found["commands"])
    assert index.has_entry(cloud.results, Run(file), ["skipped"])


@pytest.mark.parametrize(("claimed_days", "command"), [(1, "sweep"), (OLD, f"cancel '{NAME}'")])
def test_of_a_deleted_file_a_later_run_is_swept_while_sweeps_look_at_it(
    cloud: FakeCloud, lost: Lost, claimed_days: float, command: str
) -> None:
    file = lost(OLD, plan(step("a")), claimed_days)
    del cloud.uploads.versions[NAME]
    found = remedy(cloud)

    assert found is not None
    assert found["commands"] == [f"./sluice {command}"]
    obey(cloud, found["commands"])
    assert index.has_entry(cloud.results, Run(file, 1), ["gone", "skipped"])


def test_of_a_replaced_file_nothing_is_to_be_done(cloud: FakeCloud, lost: Lost, uploaded: Put) -> None:
    lost(1, join())
    uploaded(NAME, b"meow meow")
    (old,) = show(NAME, cloud, show(NAME, cloud)["older"])["jobs"]

    assert old["remedy"]["commands"] == []
    assert old["remedy"]["when"].startswith("a newer upload has replaced it")


@pytest.mark.parametrize("name", ["ls", "stop", "begin", "-x", "--all"])
def test_a_name_that_is_a_word_of_the_command_line_is_no_such_word(cloud: FakeCloud, uploaded: Put, name: str) -> None:
    at(cloud.uploads, OLD)
    cloud.routes = Routes(plan(step("a")))  # type: ignore[assignment]
    uploaded(name, b"meow")
    (command,) = show(name, cloud)["runs"][0]["remedy"]["commands"]

    expected = f"begin {name} --yes" if name.isalpha() else f"--yes -- {name}"
    assert command == f"./sluice backfill {expected}"


def test_a_file_that_was_never_planned_has_its_remedy_too(cloud: FakeCloud, uploaded: Put) -> None:
    at(cloud.uploads, 1)
    cloud.routes = Routes(plan())  # type: ignore[assignment]
    file = uploaded(NAME, b"meow")
    found = remedy(cloud)

    assert found == {"steps": [], "when": "if this stays so", "commands": ["./sluice sweep"]}
    obey(cloud, found["commands"])
    assert index.has_entry(cloud.results, Run(file), ["skipped"])


def test_a_queue_that_does_not_answer_is_no_lost_task(cloud: FakeCloud, lost: Lost) -> None:
    lost(1, plan(step("a")))
    cloud.queue.down.add("q1")
    found = remedy(cloud)

    assert found is not None
    assert (found["steps"], found["commands"]) == ([], [])
    assert "queue q1 is unavailable (planted)" in found["when"]


def test_what_waits_runs_or_has_ended_has_no_remedy(cloud: FakeCloud, lost: Lost) -> None:
    steps = plan(step("a"))
    run = Run(lost(1, steps))
    pipeline.enlist(run, steps, cloud)
    waiting = remedy(cloud)
    pipeline.process(Task(run, steps, steps.places[0]), 1, cloud)

    assert (waiting, remedy(cloud)) == (None, None)
