"""Test processes that run side by side have ports of their own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.machine import ROOT
from tests.ports import BAND, FIRST, free_port

PRINT_ONE = "from tests.ports import free_port; print(free_port())"


def test_a_process_with_another_folder_for_temporary_files_gets_other_ports(tmp_path: Path) -> None:
    ours = free_port()
    command = [sys.executable, "-c", PRINT_ONE]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=30)

    bands = [(port - FIRST) // BAND for port in (ours, int(answer.stdout))]
    assert bands[0] != bands[1]
