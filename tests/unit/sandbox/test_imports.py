"""Only the processor loads the sandbox: it would lengthen the cold start of every other service."""

import subprocess
import sys

from shared.settings import ROOT

CODE = (
    "import sys, shared.cloud, shared.pipeline, shared.web; print(*[name for name in sys.modules if 'shared.sandbox' in name])"
)


def test_a_service_that_runs_no_steps_does_not_load_the_sandbox() -> None:
    loaded = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True, check=True)

    assert loaded.stdout == "\n"
