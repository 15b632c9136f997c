"""A deployment for unit tests: the list of the real deploy.sh, an empty project, two queues."""

from dataclasses import replace
from pathlib import Path

from deploy.capacity import fitted
from deploy.deployment import Deployment
from deploy.listing import Listing
from deploy.options import Options
from deploy.queues import read
from deploy.state import State
from shared.settings import ROOT

PIPELINE = """
[queues.images]
max_dispatches_per_second = 0.5
max_concurrent_dispatches = 20
attempts = 5
min_backoff_seconds = 1
max_backoff_seconds = 300

[queues.digests]
max_dispatches_per_second = 200
max_concurrent_dispatches = 12
attempts = 5
min_backoff_seconds = 1
max_backoff_seconds = 300
"""


def list_of_deploy_sh() -> str:
    """The list that deploy.sh hands to Python."""
    return (ROOT / "deploy.sh").read_text().partition("3<<'LIST'\n")[2].removesuffix("LIST\n")


def deployment(folder: Path, command: str = "up", **options: str | bool) -> Deployment:
    """A deployment into an empty project whose number is 42; its files lie in `folder`."""
    pipeline = folder / "pipeline.toml"
    pipeline.write_text(PIPELINE)
    queues = read(pipeline)
    given = fitted(replace(Options(command, project="demo-project"), **options), queues.values())  # type: ignore[arg-type]
    given.check()
    return Deployment(given, Listing(list_of_deploy_sh(), given.variables()), queues, folder, "TAG", State(project_number="42"))
