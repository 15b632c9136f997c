"""A small, right pipeline.toml in three pieces, and tables of steps in order."""

import tomllib
from typing import Any

import pytest

from shared import routes
from shared.errors import BadConfiguration

POOLS = """
[pools.default]
cpu = 2
memory = "4Gi"
concurrency = 3
max_instances = 7
deadline_seconds = 540

[pools.slow]
cpu = 2
memory = "4Gi"
concurrency = 2
max_instances = 1
deadline_seconds = 900
"""
QUEUE = """
[queues.images]
max_dispatches_per_second = 50
max_concurrent_dispatches = 20
attempts = 5
min_backoff_seconds = 1
max_backoff_seconds = 300
"""
STEP = """
[steps.thumbnails]
processor = "image.renditions"
queue = "images"
options = { sizes = [256], formats = ["webp"] }
"""
ROUTE = """
[[routes]]
content_type = "image/*"
name = "**"
steps = ["thumbnails"]
"""
WHOLE = QUEUE + STEP + ROUTE
WEBHOOK = """
[webhooks.orders]
url = "https://orders.test/sluice"
secret = "secret-manager:orders"
"""
STEP_KEYS = {"processor": "image.renditions", "queue": "images", "seconds": 10}


def table(steps: dict[str, Any], *routes: dict[str, Any]) -> dict[str, Any]:
    """A pipeline of these steps and routes, in the queues `images` and `slow`.

    A step makes renditions in `images` within 10 seconds, and a route takes every file, unless their keys say otherwise. Without a
    route, all files take all steps.
    """
    queue = tomllib.loads(QUEUE)["queues"]["images"]
    return {
        "queues": {"images": queue, "slow": queue | {"attempts": 2}},
        "steps": {name: STEP_KEYS | keys for name, keys in steps.items()},
        "routes": [{"content_type": "*/*", "name": "**"} | route for route in routes or ({"steps": list(steps)},)],
    }


def fault(steps: dict[str, Any], *routes_: dict[str, Any]) -> str:
    """The refusal of a pipeline of these steps and routes."""
    with pytest.raises(BadConfiguration) as refused:
        routes.check(table(steps, *routes_))
    return refused.value.message


ONLY_PICTURES = """
[queues.images]
max_dispatches_per_second = 5
max_concurrent_dispatches = 2
attempts = 3
min_backoff_seconds = 1
max_backoff_seconds = 60
[steps.thumbnails]
processor = "image.renditions"
queue = "images"
options = { sizes = [64] }
[[routes]]
content_type = "image/*"
name = "**"
steps = ["thumbnails"]
"""
