"""A deployment for unit tests: the list of the real deploy.sh, an empty project, two queues and two pools."""

from dataclasses import replace
from pathlib import Path

from deploy.capacity import read
from deploy.deployment import Deployment
from deploy.listing import Listing
from deploy.options import Options
from deploy.state import State
from shared.settings import ROOT

PIPELINE = """
[pools.default]
cpu = 2
memory = "4Gi"
concurrency = 3
max_instances = 7
deadline_seconds = 540

[pools.slow]
cpu = 1
memory = "1536Mi"
concurrency = 4
max_instances = 3
deadline_seconds = 900

[queues.images]
max_dispatches_per_second = 0.5
max_concurrent_dispatches = 20
attempts = 5
min_backoff_seconds = 1
max_backoff_seconds = 300

[queues.digests]
pool = "slow"
max_dispatches_per_second = 200
max_concurrent_dispatches = 12
attempts = 5
min_backoff_seconds = 1
max_backoff_seconds = 300

[steps.facts]
processor = "image.facts"
queue = "images"

[steps.digest]
processor = "any.digest"
queue = "digests"

[[routes]]
content_type = "*/*"
name = "**"
steps = ["facts", "digest"]
"""

#: Two receivers that share a secret, and one with its own.
WEBHOOKS = """
[webhooks.orders]
url = "https://orders.example.com/sluice?key=1"
secret = "secret-manager:orders"

[webhooks.shop]
url = "https://shop.example.com/"
secret = "secret-manager:orders"

[webhooks.audit]
url = "https://audit.example.com/"
secret = "secret-manager:audit"
notices = ["job", "step"]
"""


def list_of_deploy_sh() -> str:
    """The list that deploy.sh hands to Python."""
    return (ROOT / "deploy.sh").read_text().partition("3<<'LIST'\n")[2].removesuffix("LIST\n")


def deployment(folder: Path, command: str = "up", text: str = PIPELINE, **options: str | bool) -> Deployment:
    """A deployment of this pipeline.toml into an empty project whose number is 42; its files lie in `folder`."""
    pipeline = folder / "pipeline.toml"
    pipeline.write_text(text)
    given = replace(Options(command, project="demo-project", given=frozenset(options)), **options)  # type: ignore[arg-type]
    given.check()
    routes = read(pipeline, int(given.max_file_bytes))
    listing = Listing(list_of_deploy_sh(), given.variables(), routes.pools, has_webhooks=bool(routes.webhooks))
    return Deployment(given, listing, routes, folder, "TAG", State(project_number="42"))
