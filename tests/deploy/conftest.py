"""The stub of Google's APIs, and deploy.sh run against it with the real gcloud."""

import csv
import fcntl
import os
import pickle
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.settings import ROOT
from tests.deploy.memory import remembered
from tests.deploy.project import Deployed, Project, copied
from tests.deploy.stub.proxy import Stub, environment, serving
from tests.preloaded import preloaded

Deploy = Callable[..., subprocess.CompletedProcess[str]]
PROXIES = {"http_proxy", "https_proxy", "no_proxy", "all_proxy"}


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[Stub]:
    """An empty project behind a proxy that is listening."""
    with serving(Stub(tmp_path)) as running:
        yield running


@pytest.fixture
def gcloud_environment(stub: Stub, program: Callable[[str], str]) -> dict[str, str]:
    """Variables that connect the real gcloud to the stub and to no other host."""
    return environment_for(stub, program)


@pytest.fixture
def deploy(gcloud_environment: dict[str, str]) -> Deploy:
    """`./deploy.sh` with these arguments, to its end."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(ROOT / "deploy.sh"), *arguments]
        return subprocess.run(command, env=gcloud_environment, cwd=ROOT, capture_output=True, text=True, check=False)

    return run


def environment_for(stub: Stub, program: Callable[[str], str]) -> dict[str, str]:
    """The whole environment of a child that calls gcloud; skips where gcloud is missing."""
    program("gcloud")
    inherited = {
        name: value for name, value in os.environ.items() if name.lower() not in PROXIES and not name.startswith("CLOUDSDK_")
    }
    return {**inherited, **environment(stub)}


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, program: Callable[[str], str]) -> Iterator[Project]:
    """A project for the tests that deploy into it; they bring back what they need."""
    folder = tmp_path_factory.mktemp("project")
    with (
        serving(Stub(folder)) as stub,
        preloaded(program("gcloud"), environment_for(stub, program)) as environment,
        remembered(stub, environment) as (remembering, memory),
    ):
        yield Project(stub, copied(folder / "tree"), remembering, memory)


@pytest.fixture(scope="session")
def deployed(project: Project, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Deployed:
    """An empty project after plan, up and up again. The first worker that needs it does this once for all workers."""
    own = tmp_path_factory.getbasetemp()
    done = (own if worker_id == "master" else own.parent) / "deployed"
    with done.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            project.empty()
            plan, first = project.run("plan"), project.run("up")
            done.write_bytes(pickle.dumps(Deployed(plan, first, project.run("up"), project.keep())))
    deployed: Deployed = pickle.loads(done.read_bytes())
    return deployed


@pytest.fixture(scope="session")
def table() -> list[dict[str, str]]:
    """deploy/grants.tsv."""
    with (ROOT / "deploy" / "grants.tsv").open() as file:
        return list(csv.DictReader(file, delimiter="\t"))
