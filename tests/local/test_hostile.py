"""The verdict over a run of hostile files: only a service at fault makes it fail."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from local.hostile import Ended, faults
from local.processes import Process, Watch
from tests.eventually import eventually
from tests.ports import free_port


def test_files_at_fault_are_no_fault_of_the_run() -> None:
    ended = [Ended("good.png", "succeeded"), Ended("bomb.png", "failed", "limit_memory"), Ended("empty", "skipped", "empty")]

    assert list(faults(ended, [], 60)) == []


@pytest.mark.parametrize(
    ("ended", "process", "fault"),
    [
        (Ended("a.png"), None, "no verdict within 60 s: 'a.png'"),
        (Ended("a.png", "dead", "attempts_used_up"), None, "a step is dead, which is no fault of the file: 'a.png'; "),
        (Ended("a.png", "partial", "corrupt,attempts_used_up"), None, "a step is dead, which is no fault of the file: 'a.png'"),
        (Ended("a.png", "succeeded"), Process("processor", "worker", 7, 0), "a service process ended: processor worker 7; "),
    ],
)
def test_a_service_at_fault_is_named(ended: Ended, process: Process | None, fault: str) -> None:
    (found,) = faults([ended], [process] if process else [], 60)

    assert found.startswith(fault)


@pytest.fixture
def service() -> "Iterator[tuple[int, subprocess.Popen[bytes]]]":
    """A process with the command line of a service, and its port."""
    port = free_port()
    command = [sys.executable, "-c", "input()", "--target", "processor", "--port", str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        yield port, process
        process.kill()


def test_a_service_that_ended_is_seen(service: "tuple[int, subprocess.Popen[bytes]]") -> None:
    port, process = service
    watch = Watch({port: "processor"})
    (first,) = eventually(watch.look)
    alive = watch.ended()

    process.kill()
    process.wait()

    assert (first.service, first.role, first.pid, alive) == ("processor", "service", process.pid, [])
    assert watch.ended() == [first]
