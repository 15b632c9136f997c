"""README.md lists exactly the operations of the routing tables."""

import os
import subprocess
import sys

from localcloud.operations import SERVICES, table
from tests.machine import ROOT

README = (ROOT / "localcloud" / "README.md").read_text()


def test_the_readme_has_the_generated_table() -> None:
    printed = README.partition("| service | operation |")
    listed = (printed[1] + printed[2]).partition("\n\n")[0].rstrip()

    assert listed == table(), "write the output of `python -m localcloud.operations` into localcloud/README.md"


def test_every_service_has_a_line_for_each_operation() -> None:
    lines = table().splitlines()[2:]

    assert len(lines) == sum(len(operations()) for operations in SERVICES.values())
    assert all(f"| {service} | `{name}` |" in lines for service, operations in SERVICES.items() for name in operations())


def test_the_table_may_be_cut_short_by_its_reader() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "localcloud.operations"]
    done = subprocess.run(command, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)

    assert done.stderr == ""


def test_no_line_of_the_readme_is_longer_than_160_characters() -> None:
    assert [line for line in README.splitlines() if len(line) > 160] == []
