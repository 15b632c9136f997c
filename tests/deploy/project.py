"""One project of the stub, and a copy of this repository, whose sources do not change during the tests."""

import copy
import os
import pty
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.settings import ROOT
from tests.deploy.memory import Memory
from tests.deploy.stub.proxy import Stub
from tests.deploy.stub.wire import Json
from tests.deploy.stub.world import NUMBER, PROJECT

PIPELINE = ROOT / "tests" / "deploy" / "pipeline.toml"
COPIED = ["deploy.sh", "deploy", "Dockerfile", ".dockerignore", ".gcloudignore", "requirements.lock"]
COPIED += ["extras", "shared", "functions", "tests/data"]
REGION = "us-central1"
HOME = f"projects/{PROJECT}"
PLACE = f"{HOME}/locations/{REGION}"
PARTS = ("resources", "policies", "contents", "apis", "agents", "tombstones", "operations")
UPLOADS = f"buckets/{PROJECT}-sluice-uploads"
RESULTS = f"buckets/{PROJECT}-sluice-results"
SECRETS = f"projects/{NUMBER}/secrets/"
#: Of the webhooks in pipeline.toml.
WEBHOOK_SECRETS = ("orders-webhook", "audit-webhook")
SERVICES = f"{PLACE}/services/sluice-"


def copied(folder: Path) -> Path:
    """The files that deploy.sh works with, and a pipeline of two pools in place of the shipped one."""
    for name in COPIED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    shutil.copy2(PIPELINE, folder / "pipeline.toml")
    return folder


def account(name: str) -> str:
    return f"sluice-{name}@{PROJECT}.iam.gserviceaccount.com"


def url(name: str) -> str:
    return f"https://sluice-{name}-{NUMBER}.{REGION}.run.app"


@dataclass(frozen=True)
class Run:
    """The result of one command of deploy.sh: its output, its requests, the state afterwards."""

    status: int
    printed: str
    complaints: str
    requests: list[Json]
    state: Json = field(repr=False)

    @property
    def mutations(self) -> list[Json]:
        return [request for request in self.requests if request["mutating"]]

    @property
    def commands(self) -> list[str]:
        """Every gcloud command printed, each on one line."""
        lines = self.printed.replace(" \\\n    ", " ").splitlines()
        return [line for line in lines if line.startswith("gcloud ")]

    def asked(self, method: str, end: str) -> list[int]:
        """The positions, among all requests, of those to a path that ends so."""
        matching = enumerate(self.requests)
        return [number for number, line in matching if line["method"] == method and line["path"].endswith(end)]


class Project:
    """The stub's project. What exists can be kept and brought back, so that tests need not build it up again."""

    def __init__(self, stub: Stub, tree: Path, environment: dict[str, str], memory: Memory) -> None:
        self.stub = stub
        self.memory = memory
        self.tree = tree
        self.environment = {**environment, "DEPLOY_FOLDER": str(stub.folder / "work"), "RETRY_SECONDS": "0"}

    def run(self, *arguments: str, typed: str = "") -> Run:
        """Run `./deploy.sh` with these arguments; only its own requests are in the result.

        `typed` is entered at a terminal; without it, stdin is no terminal."""
        before = len(self.stub.requests())
        command = [str(self.tree / "deploy.sh"), *arguments]
        keyboard, terminal = pty.openpty()
        os.write(keyboard, f"{typed}\n".encode())
        stdin = terminal if typed else subprocess.DEVNULL
        done = subprocess.run(
            command, stdin=stdin, env=self.environment, cwd=self.tree, capture_output=True, text=True, check=False
        )
        os.close(keyboard)
        os.close(terminal)
        requests = self.stub.requests()[before:]
        return Run(done.returncode, done.stdout, done.stderr, requests, self.stub.state())

    def empty(self) -> None:
        """An empty project again, but for the secrets of the webhooks, which are the operator's to make."""
        self.stub.reset()
        self.stub.enable("secretmanager")
        for name in WEBHOOK_SECRETS:
            self.stub.drift(f"{SECRETS}{name}", {"name": f"{SECRETS}{name}", "replication": {"automatic": {}}})
            self.stub.drift(f"{SECRETS}{name}/versions/1", {"name": f"{SECRETS}{name}/versions/1", "state": "ENABLED"})

    def keep(self) -> dict[str, Any]:
        """All that exists now."""
        return {part: copy.deepcopy(getattr(self.stub.world, part)) for part in PARTS}

    def bring_back(self, kept: dict[str, Any]) -> None:
        """Restore exactly that state, and drop all injected faults."""
        self.stub.forget()
        for part in PARTS:
            setattr(self.stub.world, part, copy.deepcopy(kept[part]))


@dataclass(frozen=True)
class Deployed:
    """The results of plan, up and up again in an empty project, and everything that exists since."""

    plan: Run
    first: Run
    second: Run
    kept: dict[str, Any]
