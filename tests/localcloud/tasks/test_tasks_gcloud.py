"""The real `gcloud tasks` against the service."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.localcloud.target import Target
from tests.localcloud.tasks.world import LOCATION, World

Gcloud = Callable[..., Any]
LOCATION_FLAG = "--location=us-central1"


@pytest.fixture
def gcloud(world: World, gcloud_environment: dict[str, str]) -> Gcloud:
    """Runs `gcloud tasks …` and returns its JSON. Raises RuntimeError with its error output when it fails."""
    environment = gcloud_environment | {"CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDTASKS": f"http://127.0.0.1:{world.port}/"}

    def run(*arguments: str) -> Any:
        where = [] if arguments[0] == "locations" else [LOCATION_FLAG]
        command = ["gcloud", "tasks", *arguments, *where, "--format=json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout or "null")

    return run


def test_gcloud_manages_queues(gcloud: Gcloud) -> None:
    gcloud("queues", "create", "q", "--max-attempts=5", "--min-backoff=1s", "--max-concurrent-dispatches=3")
    gcloud("queues", "update", "q", "--max-dispatches-per-second=7", "--clear-max-attempts")
    gcloud("queues", "pause", "q")

    queue = gcloud("queues", "describe", "q")
    assert queue["rateLimits"] == {"maxBurstSize": 10, "maxConcurrentDispatches": 3, "maxDispatchesPerSecond": 7.0}
    assert queue["retryConfig"] == {"maxAttempts": 100, "maxBackoff": "3600s", "maxDoublings": 16, "minBackoff": "1s"}
    assert (queue["state"], [q["name"] for q in gcloud("queues", "list")]) == ("PAUSED", [f"{LOCATION}/queues/q"])

    gcloud("queues", "resume", "q")
    gcloud("queues", "purge", "q")
    gcloud("queues", "delete", "q")
    with pytest.raises(RuntimeError, match="NOT_FOUND: Queue does not exist"):
        gcloud("queues", "describe", "q")


def test_gcloud_sets_numbers_to_zero_where_allowed(gcloud: Gcloud, world: World) -> None:
    gcloud("queues", "create", "q", "--max-doublings=0", "--min-backoff=0s")
    gcloud("queues", "update", "q", "--max-attempts=5")
    with pytest.raises(RuntimeError, match="maxConcurrentDispatches must be greater than 0"):
        gcloud("queues", "update", "q", "--max-concurrent-dispatches=0")

    retry = world.client.get_queue(name=f"{LOCATION}/queues/q").retry_config
    assert (retry.max_doublings, str(retry.min_backoff), retry.max_attempts) == (0, "0:00:00", 5)
    gcloud("queues", "update", "q", "--clear-max-doublings")
    assert gcloud("queues", "describe", "q")["retryConfig"]["maxDoublings"] == 16


def test_gcloud_manages_tasks(gcloud: Gcloud, world: World, target: Target) -> None:
    queue = world.queue("q")
    create = ("create-http-task", "t", "--queue=q", f"--url={target.url}/x", "--body-content=hello", "--header=X-A:1")
    world.client.pause_queue(name=queue)
    gcloud(*create, "--oidc-service-account-email=a@b.c")

    assert [task["name"] for task in gcloud("list", "--queue=q")] == [f"{queue}/tasks/t"]
    task = gcloud("describe", "t", "--queue=q", "--response-view=full")
    assert (task["httpRequest"]["body"], task["httpRequest"]["oidcToken"]) == ("aGVsbG8=", {"serviceAccountEmail": "a@b.c"})
    assert gcloud("run", "t", "--queue=q")["dispatchCount"] == 1
    assert target.wait_for(1)[0].body == b"hello"
    with pytest.raises(RuntimeError, match="ALREADY_EXISTS"):
        gcloud(*create)


def test_gcloud_deletes_a_task_and_buffers_another(gcloud: Gcloud, world: World, target: Target) -> None:
    queue = world.queue("q")
    world.client.pause_queue(name=queue)
    world.task(queue, target.url, "t")
    gcloud("delete", "t", "--queue=q")
    host, port = target.url.removeprefix("http://").split(":")
    gcloud("queues", "update", "q", f"--http-uri-override=scheme:HTTP,host:{host},port:{port},path:/hook,mode:ALWAYS")

    gcloud("buffer", "--queue=q")

    world.client.resume_queue(name=queue)
    assert target.wait_for(1)[0].path == "/hook"


def test_gcloud_sets_policies_and_lists_locations(gcloud: Gcloud, world: World) -> None:
    world.queue("q")
    binding = {"role": "roles/cloudtasks.enqueuer", "members": ["user:a@b.c"]}

    gcloud("queues", "add-iam-policy-binding", "q", "--member=user:a@b.c", f"--role={binding['role']}")

    assert gcloud("queues", "get-iam-policy", "q")["bindings"] == [binding]
    assert [found["locationId"] for found in gcloud("locations", "list")] == ["us-central1"]
