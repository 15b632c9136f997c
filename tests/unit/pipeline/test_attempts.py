"""Attempts: errors are retried until the attempts are used up, and the `dead` verdict names the last one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared import pipeline, sandbox
from shared.errors import Unavailable
from shared.model import Manifest, Recipe, Task
from shared.processors import Draft, Processor
from shared.processors.any import NoOptions
from shared.processors.registry import registered
from shared.testing import FakeCloud


def test_an_outage_is_retried_and_named_by_the_dead_verdict(cloud: FakeCloud, task: Task) -> None:
    cloud.uploads.broken = {"download"}
    for delivery in (1, 2, 3):
        with pytest.raises(Unavailable):
            pipeline.process(task, delivery, cloud)

    dead = pipeline.process(task, 4, cloud)

    assert (dead.verdict, dead.reason, dead.attempt) == ("dead", "attempts_used_up", 3)
    assert "planted" in dead.message
    assert cloud.completions.ids() == [task.task_id, task.file.job_id]


class Killed(BaseException):
    """The end of the process: no handler runs."""


def test_the_delivery_after_the_last_attempt_does_no_work(
    cloud: FakeCloud, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kills(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(sandbox, "run", kills)
    for delivery in (1, 2, 3):
        with pytest.raises(Killed):
            pipeline.process(task, delivery, cloud)

    dead = pipeline.process(task, 4, cloud)

    assert (dead.verdict, dead.attempt) == ("dead", 3)
    assert dead.message == "the last attempt left no error message: its process was killed, or ran out of time"


def deliver_until_dead(task: Task, cloud: FakeCloud, error: type[Exception]) -> Manifest:
    """Deliver the task until its attempts are used up; each attempt raises this error."""
    for delivery in (1, 2, 3):
        with pytest.raises(error):
            pipeline.process(task, delivery, cloud)
    return pipeline.process(task, 4, cloud)


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
    cloud: FakeCloud, task: Task, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(sandbox, "run", fails)
    dead = deliver_until_dead(task, cloud, type(error))

    assert (dead.verdict, dead.reason, dead.message) == ("dead", "attempts_used_up", message)


@pytest.mark.parametrize("names", [["a/b.txt"], ["a.txt", "a.txt"]], ids=["slash", "twice"])
def test_wrong_output_names_end_dead_and_store_nothing(cloud: FakeCloud, task: Task, names: list[str]) -> None:
    def work(source: Path, _folder: Path, _options: NoOptions) -> Iterator[Draft]:
        yield from (Draft(name, "text/plain", source) for name in names)

    registered["test.names"] = Processor("test.names", 1, NoOptions, work)
    try:
        dead = deliver_until_dead(replace(task, recipe=Recipe("names", "test.names", 1, {})), cloud, ValueError)
    finally:
        del registered["test.names"]

    assert dead.verdict == "dead"
    assert "test.names" in dead.message
    assert repr(names[0]) in dead.message
    assert list(cloud.results.names("files/")) == []


def test_deliveries_that_never_arrived_use_up_no_attempts(cloud: FakeCloud, task: Task) -> None:
    cloud.uploads.broken = {"download"}
    with pytest.raises(Unavailable):
        pipeline.process(task, 40, cloud)  # the 39 before found no processor
    cloud.uploads.broken = set()

    manifest = pipeline.process(task, 41, cloud)

    assert (manifest.verdict, manifest.attempt) == ("succeeded", 3)


def test_no_attempt_begins_that_cannot_be_counted(cloud: FakeCloud, task: Task) -> None:
    cloud.results.broken = {"create attempts"}

    with pytest.raises(Unavailable):
        pipeline.process(task, 2, cloud)
    assert list(cloud.results.names("files/")) == []
