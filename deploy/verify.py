"""`verify`: send a photograph through every door of a running system and wait for the notices of its results."""

import json
import os
import secrets
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy import gcloud
from deploy.capacity import load
from deploy.deployment import Deployment
from deploy.env import PIPELINE
from deploy.errors import Failed
from deploy.photograph import reached, steps_for_every_pool
from shared.routes import Routes
from shared.routes.definitions import REQUEST

PHOTO = Path("tests/data/photo.jpg")
NOTICE_SECONDS = float(os.environ.get("NOTICE_SECONDS", "180"))  # the first requests wait for instances to start
CURL = ["curl", "--silent", "--show-error", "--max-time", "120"]
MAY_CALL = "403: may you call it? gcloud run services add-iam-policy-binding with roles/run.invoker for yourself"


@dataclass(frozen=True)
class System:
    """A running system: base URLs of its services, names, the caller's token, variables for gcloud."""

    urls: dict[str, str]
    routes: Routes
    uploads: str = "uploads"
    results: str = "results"
    completions: str = "completions"
    listener: str = "verify"
    token: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str, otherwise: str, folder: Path = Path()) -> str:
        """The output of a command. Raises Failed, with `otherwise` and the errors printed, when it does not succeed."""
        environment = os.environ | self.environment
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"{otherwise}\n{done.stdout}{done.stderr}".rstrip())
        return done.stdout

    @property
    def authorization(self) -> list[str]:
        """The caller's token as arguments of curl."""
        return ["--header", f"Authorization: Bearer {self.token}"] if self.token else []

    def call(self, service: str, *arguments: str, path: str = "") -> dict[str, str]:
        """The JSON that a service answers to curl with these arguments."""
        curl = [*CURL, "--fail-with-body", *self.authorization, *arguments]
        refusal = f"the {service} service refuses ({MAY_CALL})"
        answer: dict[str, str] = json.loads(self.run(*curl, self.urls[service] + path, otherwise=refusal))
        return answer


def verify(system: System) -> None:
    """Send, wait, ask, tidy up. Raises Failed at the first thing that does not work."""
    stamp = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.randbelow(1 << 15)}"
    with _listening(system, f"{system.listener}-{stamp}") as subscription:
        objects = list(_send(system, f"verify/{stamp}.jpg"))
        _wait_for_notices(system, subscription, objects)
        _tidy_up(system, objects, _ask_status(system, objects))
    open_console(system)
    print("\nEverything works.")


@contextmanager
def _listening(system: System, name: str) -> Iterator[str]:
    """A subscription of our own to the notices, for as long as the block lasts."""
    _say(f"Listening to {system.completions}.")
    group, keep = ["gcloud", "pubsub", "subscriptions"], ["--expiration-period=1d", "--message-retention-duration=10m"]
    refusal = f"no subscription can be made on the topic {system.completions}"
    system.run(*group, "create", name, f"--topic={system.completions}", *keep, "--quiet", otherwise=refusal)
    try:
        yield name
    finally:
        with suppress(Failed):
            system.run(*group, "delete", name, "--quiet", otherwise="it expires in a day")


def _send(system: System, name: str) -> Iterator[str]:
    """Send the photograph through each door; the names of the objects it became."""
    asked = steps_for_every_pool(system.routes)
    for pool in sorted(system.routes.pools.keys() - reached(system.routes, asked)):
        print(f"note: no step of a photograph runs in the pool {pool}; ./deploy.sh doctor looks at it", file=sys.stderr)
    _say(f"1. straight into the bucket{', asking for ' * bool(asked)}{', '.join(asked)}")
    copy = ["gcloud", "storage", "cp", str(PHOTO), f"gs://{system.uploads}/{name}", "--content-type=image/jpeg", "--quiet"]
    copy += [f"--custom-metadata=^;^{REQUEST}={','.join(asked)}"] * bool(asked)
    system.run(*copy, otherwise=f"gs://{system.uploads} takes no file; may you write to it?")
    yield _sent(name)
    _say("2. a signed URL from the issuer")
    signed = system.call("issuer", path="/?name=photo.jpg&content_type=image/jpeg")
    system.run("bash", "-c", signed["curl"], folder=PHOTO.parent, otherwise="the signed URL does not take the file")
    yield _sent(signed["object"])
    _say("3. a POST to the Upload Service")
    yield _sent(system.call("upload", "--form", f"file=@{PHOTO}")["object"])


def _sent(name: str) -> str:
    _say(f"   {name}")
    return name


def _wait_for_notices(system: System, subscription: str, objects: list[str]) -> None:
    _say("Waiting for the notices.")
    deadline, verdicts = time.monotonic() + NOTICE_SECONDS, dict[str, str]()
    for name in objects:
        while name not in verdicts:
            if time.monotonic() >= deadline:
                raise Failed(f"no notice of {name} within {NOTICE_SECONDS:g} s; ./deploy.sh doctor looks for the cause")
            verdicts |= _pulled(system, subscription)
        if verdicts[name] != "succeeded":
            raise Failed(f"the verdict of {name} is {verdicts[name]}")
        _say(f"   succeeded  {name}")


def _pulled(system: System, subscription: str) -> dict[str, str]:
    """The verdicts of the jobs whose notices have arrived, by the object's name."""
    pull = ["gcloud", "pubsub", "subscriptions", "pull", subscription, "--auto-ack", "--limit=100", "--format=json"]
    messages: list[Any] = json.loads(system.run(*pull, otherwise="the notices cannot be read"))
    found = [message["message"]["attributes"] for message in messages]
    return {each["name"]: each["verdict"] for each in found if each["ce-type"] == "sluice.job.finished.v1"}


def _ask_status(system: System, objects: list[str]) -> list[str]:
    """The file ids. Raises Failed unless the status service answers `succeeded` for every object."""
    _say("Asking the status service.")
    answers = [system.call("status", path=f"/objects/{name}") for name in objects]
    for name, answer in zip(objects, answers, strict=True):
        if answer["state"] != "succeeded":
            raise Failed(f"the status of {name} is {answer['state']}")
    return [answer["file_id"] for answer in answers]


def open_console(system: System) -> None:
    """Raise Failed unless its first page opens, or is refused to this caller."""
    _say("Opening the console.")
    if "console" not in system.urls:
        print("note: open the console in a browser yourself: Identity-Aware Proxy takes no token of gcloud's", file=sys.stderr)
        return
    curl = [*CURL, "--output", os.devnull, "--write-out", "%{http_code}", *system.authorization]
    status = system.run(*curl, f"{system.urls['console']}/", otherwise="the console does not answer")
    if status in ("401", "403"):
        print(f"note: {status}: the console opens for its viewers only; ./deploy.sh up --console-viewers", file=sys.stderr)
    elif status != "200":
        raise Failed(f"the console answers {status}; ./deploy.sh doctor looks for the cause")


def _tidy_up(system: System, objects: list[str], files: list[str]) -> None:
    """Delete the photographs and their results, so that verify leaves no trace."""
    traces = [f"gs://{system.uploads}/{name}" for name in objects]
    traces += [f"gs://{system.results}/files/{name}/**" for name in objects]
    traces += [f"gs://{system.results}/jobs/{name}/**" for name in files]
    traces += [f"gs://{system.results}/index/*/*-{name}-*" for name in files]
    try:
        system.run("gcloud", "storage", "rm", *traces, "--quiet", otherwise="refused")
    except Failed:
        print(f"note: delete the photographs in gs://{system.uploads} and gs://{system.results} yourself", file=sys.stderr)


def _say(line: str) -> None:
    print(line, flush=True)


def local_system() -> System:
    """The stack of `make up`, as `python -m local env` describes it."""
    environment = dict(os.environ)
    if not environment.get("SLUICE_UPLOAD_URL"):
        done = subprocess.run([".venv/bin/python", "-m", "local", "env"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed("python -m local env fails; start make up first")
        words = shlex.split(done.stdout, comments=True)
        environment |= dict(word.split("=", 1) for word in words if "=" in word)
    urls = {name: environment[f"SLUICE_{name.upper()}_URL"] for name in ("issuer", "upload", "status", "console")}
    return System(urls, load(Path(environment.get(PIPELINE) or "pipeline.toml")), environment=environment)


def deployed_system(deployment: Deployment) -> System:
    """The deployed system, called as the user that gcloud is logged in as."""
    describe = ["projects", "describe", deployment.options.project]
    deployment.state.project_number = gcloud.read({"project": describe})["project"]["projectNumber"]
    token = gcloud.call(["auth", "print-identity-token"])
    if token.returncode:
        raise Failed("no identity token; gcloud auth login, then again")
    names = ("issuer", "upload", "status", *["console"] * (not deployment.is_behind_iap))
    return System(
        urls={name: deployment.url(name) for name in names},
        routes=deployment.routes,
        uploads=deployment.bucket("uploads"),
        results=deployment.bucket("results"),
        completions=deployment.full("completions"),
        listener=deployment.full("verify"),
        token=token.stdout.strip(),
    )
