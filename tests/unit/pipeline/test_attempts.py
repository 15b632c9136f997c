"""Attempts: errors are retried until the attempts are used up, and the `dead` verdict names the last one."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared import pipeline
from shared.errors import Unavailable
from shared.plan import Task
from shared.processors import Draft
from shared.processors.registry import registered
from shared.testing import FakeCloud
from tests.unit.pipeline.calls import ledger, verdicts
from tests.unit.pipeline.conftest import Enlist
from tests.unit.plans import SCRIPTED, Script, plan, step


def dead_step(cloud: FakeCloud) -> Mapping[str, Any]:
    """The only step of the only manifest, which is `dead`."""
    (result,) = ledger(cloud)["job.json"]["steps"]
    assert (result["verdict"], result["reason"]) == ("dead", "attempts_used_up")
    found: Mapping[str, Any] = result
    return found


@pytest.fixture
def alone(enlist: Enlist, script: Script) -> Task:
    """A task with one step of three attempts."""
    (task,) = enlist(plan(step("a")))
    return task


class Killed(BaseException):
    """The end of the process: no handler runs."""


@pytest.mark.failure("T23")
def test_the_delivery_after_the_last_attempt_does_no_work(cloud: FakeCloud, alone: Task, script: Script) -> None:
    script.raises["a"] = Killed()
    for delivery in (1, 2, 3, 4):
        with pytest.raises(Killed):
            pipeline.process(alone, delivery, cloud)

    pipeline.process(alone, 5, cloud)

    dead = dead_step(cloud)
    assert dead["attempt"] == 3
    assert dead["message"] == "the last attempt left no error message: its process was killed, or ran out of time"
    assert script.worked == ["a", "a", "a", "a"]
    assert [notice.attributes["verdict"] for notice in cloud.completions.notices] == ["dead", "dead"]


@pytest.mark.failure("T28")
def test_a_step_that_kills_its_process_dies_alone(cloud: FakeCloud, enlist: Enlist, script: Script) -> None:
    (task,) = enlist(plan(step("a"), step("b"), step("c")))
    script.raises["b"] = Killed()
    for delivery in (1, 2, 3, 4):
        with pytest.raises(Killed):
            pipeline.process(task, delivery, cloud)

    pipeline.process(task, 5, cloud)

    assert verdicts(cloud) == {"a": "succeeded", "b": "dead", "c": "succeeded"}
    # The first delivery keeps no result; the second keeps that of `a`, and later ones take it.
    assert script.worked == ["a", "b", "a", "b", "b", "b", "c"]


def deliver_until_dead(task: Task, cloud: FakeCloud, error: type[Exception]) -> None:
    """Deliver the task until its attempts are used up; each attempt raises this error."""
    for delivery in (1, 2, 3):
        with pytest.raises(error):
            pipeline.process(task, delivery, cloud)
    pipeline.process(task, 4, cloud)


class Mute(Exception):
    """An error whose text cannot be made."""

    def __str__(self) -> str:
        raise AttributeError


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (KeyError("width"), "KeyError: 'width'"),
        (RuntimeError("first line\nsecond line"), "RuntimeError: first line"),
        (MemoryError(), "MemoryError: "),
        (ValueError("x" * 1000), "ValueError: " + "x" * 488),
        (OSError("not found: \udcff.txt"), "OSError: not found: \udcff.txt"),
        (Mute(), "Mute: "),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_unforeseen_error_is_named_by_the_dead_verdict(
    cloud: FakeCloud, alone: Task, script: Script, error: Exception, message: str
) -> None:
    script.raises["a"] = error

    deliver_until_dead(alone, cloud, type(error))

    assert dead_step(cloud)["message"] == message


@pytest.mark.parametrize("names", [["a/b.txt"], ["a.txt", "a.txt"]], ids=["slash", "twice"])
def test_wrong_output_names_end_dead_and_store_nothing(cloud: FakeCloud, alone: Task, names: list[str]) -> None:
    def work(source: Path, _folder: Path, _options: object) -> Iterator[Draft]:
        yield from (Draft(name, "text/plain", source) for name in names)

    registered[SCRIPTED] = replace(registered[SCRIPTED], work=work)
    deliver_until_dead(alone, cloud, ValueError)

    assert SCRIPTED in dead_step(cloud)["message"]
    assert repr(names[0]) in dead_step(cloud)["message"]
    assert list(cloud.results.names("files/")) == []


@pytest.mark.parametrize("broken", ["uploads", "results"])
def test_an_outage_costs_no_attempt_however_long_it_lasts(cloud: FakeCloud, alone: Task, script: Script, broken: str) -> None:
    faults = {"uploads": {"download"}, "results": {"create files"}}
    getattr(cloud, broken).broken = faults[broken]
    for delivery in range(1, 101):
        with pytest.raises(Unavailable):
            pipeline.process(alone, delivery, cloud)
    getattr(cloud, broken).broken = set()

    pipeline.process(alone, 101, cloud)

    assert verdicts(cloud) == {"a": "succeeded"}


def test_after_an_outage_a_step_has_all_its_attempts(cloud: FakeCloud, alone: Task, script: Script) -> None:
    cloud.results.broken = {"create files"}
    for delivery in (1, 2, 3, 4):
        with pytest.raises(Unavailable):
            pipeline.process(alone, delivery, cloud)
    cloud.results.broken = set()
    script.raises["a"] = ZeroDivisionError("division by zero")
    for delivery in (5, 6, 7):
        with pytest.raises(ZeroDivisionError):
            pipeline.process(alone, delivery, cloud)

    pipeline.process(alone, 8, cloud)

    assert dead_step(cloud)["message"] == "ZeroDivisionError: division by zero"


def test_an_outage_of_the_notes_hides_no_error(cloud: FakeCloud, alone: Task, script: Script) -> None:
    script.raises["a"] = ZeroDivisionError("division by zero")
    cloud.results.broken = {"create attempts"}

    with pytest.raises(ZeroDivisionError):
        pipeline.process(alone, 1, cloud)


def test_deliveries_that_never_arrived_use_up_no_attempts(cloud: FakeCloud, alone: Task, script: Script) -> None:
    script.raises["a"] = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        pipeline.process(alone, 40, cloud)  # the 39 before found no processor
    script.raises.clear()

    pipeline.process(alone, 41, cloud)

    (result,) = ledger(cloud)["job.json"]["steps"]
    assert (result["verdict"], result["attempt"]) == ("succeeded", 2)


def test_no_attempt_begins_that_cannot_be_counted(cloud: FakeCloud, alone: Task, script: Script) -> None:
    cloud.results.broken = {"create attempts"}

    with pytest.raises(Unavailable):
        pipeline.process(alone, 2, cloud)
    assert script.worked == []


def test_a_swept_task_has_all_its_attempts_again(cloud: FakeCloud, alone: Task, script: Script) -> None:
    script.raises["a"] = ZeroDivisionError()
    for delivery in (1, 2, 3):
        with pytest.raises(ZeroDivisionError):
            pipeline.process(alone, delivery, cloud)
    script.raises.clear()

    pipeline.process(replace(alone, sweep=1), 2, cloud)

    assert verdicts(cloud) == {"a": "succeeded"}
