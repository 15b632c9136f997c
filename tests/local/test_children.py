"""When a child that ended is started again, and that none outlives its parent for long."""

import signal
import subprocess

from local.children import next_pause
from localcloud.cli import child


def test_the_pause_before_a_restart_grows_while_the_child_keeps_ending() -> None:
    pauses = [0.0]
    for _ in range(7):
        pauses.append(next_pause(pauses[-1], lived_seconds=2))

    assert pauses[1:] == [1, 2, 4, 8, 16, 30, 30]


def test_a_child_that_has_lived_long_enough_is_started_again_soon() -> None:
    assert next_pause(16, lived_seconds=31) == 1


def test_a_child_that_refuses_to_end_is_killed_soon_after_its_parent() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen(child.command("tests.local.stubborn"), stdin=pipe, stdout=pipe, start_new_session=True) as stubborn:
        assert stubborn.stdin
        assert stubborn.stdout
        assert stubborn.stdout.readline() == b"ready\n"
        stubborn.stdin.close()
        try:
            status = stubborn.wait(timeout=4 * child.STOP_SECONDS)
        finally:
            stubborn.kill()

    assert status == -signal.SIGKILL
