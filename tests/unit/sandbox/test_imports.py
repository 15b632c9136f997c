"""Only the processor loads the sandbox, and its zygote loads little: all of it costs cold starts and forks."""

import subprocess
import sys

import pytest

from shared.settings import ROOT

SERVICE = "shared.cloud, shared.pipeline, shared.web"


@pytest.mark.parametrize(
    ("modules", "unwanted"),
    [
        pytest.param(SERVICE, "shared.sandbox", id="a service that runs no steps does not load the sandbox"),
        pytest.param("shared.sandbox.zygote", "threading", id="a zygote chooses how it loads threading"),
        pytest.param("shared.sandbox.zygote", "logging", id="a zygote chooses how it loads logging"),
        pytest.param("shared.sandbox.zygote", "shared.sandbox.service", id="a zygote does not load the service"),
    ],
)
def test_a_module_is_not_loaded(modules: str, unwanted: str) -> None:
    code = f"import sys, {modules}; print(*[name for name in sys.modules if name.startswith('{unwanted}')])"

    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert loaded.stdout == "\n"
