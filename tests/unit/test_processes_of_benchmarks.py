"""The CPU time of a stack whose processes come and go meanwhile."""

import subprocess
import sys

from benchmarks.processes import cpu_seconds

PARENT = """
import subprocess
print("ready", flush=True)
while True:
    subprocess.run(["true"])
"""


def test_a_process_that_ends_meanwhile_is_no_error() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        parent.stdout.readline()
        try:
            counted = [cpu_seconds(parent.pid) for _ in range(300)]
        finally:
            parent.kill()

    assert all(found.keys() == {"cloud"} for found in counted)
    assert counted[-1]["cloud"] > 0
