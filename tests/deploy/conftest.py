"""The stub of Google's APIs, and deploy.sh run against it with the real gcloud."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.settings import ROOT
from tests.deploy.stub.proxy import Stub, environment, serving

Deploy = Callable[..., subprocess.CompletedProcess[str]]
PROXIES = {"http_proxy", "https_proxy", "no_proxy", "all_proxy"}


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[Stub]:
    """An empty project behind a proxy that is listening."""
    with serving(Stub(tmp_path)) as running:
        yield running


@pytest.fixture
def gcloud_environment(stub: Stub, program: Callable[[str], str]) -> dict[str, str]:
    """What makes the real gcloud speak to the stub and to nothing else."""
    return environment_for(stub, program)


@pytest.fixture
def deploy(gcloud_environment: dict[str, str]) -> Deploy:
    """`./deploy.sh` with these arguments, to its end."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(ROOT / "deploy.sh"), *arguments]
        return subprocess.run(command, env=gcloud_environment, cwd=ROOT, capture_output=True, text=True, check=False)

    return run


def environment_for(stub: Stub, program: Callable[[str], str]) -> dict[str, str]:
    """The whole environment of a child that calls gcloud; skips where there is none."""
    program("gcloud")
    inherited = {
        name: value for name, value in os.environ.items() if name.lower() not in PROXIES and not name.startswith("CLOUDSDK_")
    }
    return {**inherited, **environment(stub)}
