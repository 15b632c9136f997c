"""The lines by which people use a running stack: `make up` prints them, and the demo runs them."""

import os
import shlex
import shutil
from pathlib import Path

from local import pipeline, services
from local.environment import DATA, chosen
from local.pipeline import ROOT
from local.stack import Stack
from localcloud.cli.command import command_line
from localcloud.errors import CannotRun

PICTURES = Path("tests") / "data"
CAT, ROCKET, EARTH = PICTURES / "cat.png", PICTURES / "rocket.jpg", PICTURES / "earth.jpg"
OTHERS = tuple(PICTURES / name for name in ("alice.pdf", "planets.csv", "sonnet.txt"))
GSUTIL_OF_OUR_OWN = ROOT / ".venv-gsutil" / "bin" / "gsutil"
ASK_ISSUER = f'curl -sS --fail-with-body "$SLUICE_ISSUER_URL/?name={ROCKET.name}&content_type=image/jpeg"'
POST = f"curl -sS --fail-with-body -F file=@{EARTH} $SLUICE_UPLOAD_URL"
#: The upload, then the object's name and the address of its status.
TAKE_TICKET = f"""python3 -c 'import json, shlex, sys
it = json.load(sys.stdin)
print(it["curl"], "&& echo", shlex.join([it["object"], it["status_url"]]))' | (cd {PICTURES} && sh)"""


def how_to_use(stack: Stack) -> str:
    """Copy-paste lines for a running stack."""
    return f"""Sluice is up. The console: {console(stack)}

In another shell, in this folder:

eval "$({env(stack.data, stack.ports.offset)})"

# 1. straight into the bucket
{shlex.quote(gsutil())} cp {CAT} gs://uploads/cat.png
# 2. a signed URL from the issuer, used at once; it prints the object's name and the address of its status
{ASK_ISSUER} | {TAKE_TICKET}
# 3. a POST to the Upload Service
{POST}
# with a step that runs only on request
{on_request()} {ROCKET} gs://uploads/on-request.jpg

# the results
gcloud pubsub subscriptions pull completions --auto-ack --limit=9 \\
  --format='table(message.attributes.name,message.attributes.step,message.attributes.verdict)'
{shlex.quote(gsutil())} ls -r gs://results
curl $SLUICE_STATUS_URL/objects/cat.png

The functions' logs are in {stack.logs}; a function that ends is restarted.
Ctrl-C ends every process. The data stays in {stack.data} for the next start."""


def env(data: Path, offset: int) -> str:
    """The command that prints the variables of this stack, for a shell that has none of them."""
    command = command_line("local", "env", None if data == DATA else data, offset)
    file = {"SLUICE_PIPELINE": str(pipeline.path().resolve())} if "SLUICE_PIPELINE" in os.environ else {}
    return " ".join([*(f"{name}={shlex.quote(value)}" for name, value in (file | chosen()).items()), command])


def on_request() -> str:
    """The beginning of a copy that asks for a step."""
    return f"{shlex.quote(gsutil())} -q -h x-goog-meta-sluice-steps:avif cp"


def console(stack: Stack) -> str:
    """The address of the console."""
    return services.url("console", stack.ports)


def gsutil() -> str:
    """The gsutil on the PATH, else the one that `make` installed. Raises `CannotRun`."""
    if shutil.which("gsutil"):
        return "gsutil"
    if GSUTIL_OF_OUR_OWN.exists():
        return str(GSUTIL_OF_OUR_OWN)
    raise CannotRun("gsutil not found; run `make setup`, which installs it into .venv-gsutil")
