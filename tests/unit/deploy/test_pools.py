"""Pools: each is a service with an account of its own, and a queue calls the service of its pool."""

import io
import re
import shlex
from pathlib import Path

import pytest

from deploy import queues, services
from deploy.deployment import Deployment
from deploy.everything import everything
from deploy.kinds import Queue
from deploy.running import Runner
from tests.unit.deploy.example import PIPELINE, deployment
from tests.unit.deploy.test_changes import commands


def flags(command: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+)=(\S+)", command))


@pytest.fixture
def deployed(tmp_path: Path) -> dict[str, dict[str, str]]:
    """The flags of the command that deploys each pool, by the service's name."""
    it = deployment(tmp_path)
    it.image = "IMAGE"
    found = commands(services.pools(it, "processor", "internal"))
    return {command.split()[2]: flags(command) for command in found}


def test_each_pool_is_a_service_with_its_own_numbers(deployed: dict[str, dict[str, str]]) -> None:
    numbers = ("cpu", "memory", "concurrency", "timeout", "max-instances", "ingress")

    assert {name: [found[flag] for flag in numbers] for name, found in deployed.items()} == {
        "sluice-processor": ["2", "4Gi", "3", "540", "7", "internal"],
        "sluice-processor-slow": ["1", "1536Mi", "4", "900", "3", "internal"],
    }


def test_each_pool_runs_as_its_own_account(deployed: dict[str, dict[str, str]]) -> None:
    assert {name: found["service-account"] for name, found in deployed.items()} == {
        name: f"{name}@demo-project.iam.gserviceaccount.com" for name in ("sluice-processor", "sluice-processor-slow")
    }


def test_a_pool_has_its_name_and_the_function_and_threads_for_its_concurrency(tmp_path: Path) -> None:
    found = services.variables(deployment(tmp_path), "processor-slow", "4")

    assert (found["SLUICE_POOL"], found["THREADS"]) == ("slow", "4")
    assert (found["FUNCTION_TARGET"], found["FUNCTION_SOURCE"]) == ("processor", "functions/processor/main.py")
    assert "SLUICE_POOL" not in services.variables(deployment(tmp_path), "dispatcher", "40")


def test_every_service_has_the_urls_of_all_pools(tmp_path: Path) -> None:
    urls = "default=https://sluice-processor-42.us-central1.run.app,slow=https://sluice-processor-slow-42.us-central1.run.app"

    assert services.settings(deployment(tmp_path))["SLUICE_PROCESSOR_URLS"] == urls


def test_a_queue_calls_the_service_of_its_pool_with_tokens_for_it(tmp_path: Path) -> None:
    images, digests, sweeper = map(flags, commands(queues.new_queues(deployment(tmp_path))))
    host = "sluice-processor-slow-42.us-central1.run.app"

    assert digests["http-uri-override"] == f"scheme:HTTPS,host:{host},mode:ALWAYS"
    assert digests["http-oidc-token-audience-override"] == f"https://{host}"
    assert images["http-oidc-token-audience-override"] == "https://sluice-processor-42.us-central1.run.app"
    assert sweeper["http-oidc-token-audience-override"] == "https://sluice-sweeper-42.us-central1.run.app"
    assert {it["http-oidc-service-account-email-override"] for it in (images, digests, sweeper)} == {
        "sluice-tasks@demo-project.iam.gserviceaccount.com"
    }


def test_an_existing_queue_moves_to_another_pool_in_a_step_of_its_own(tmp_path: Path) -> None:
    """`new_queues` comes before the services, `changed_queues` after them."""
    it = deployment(tmp_path)
    it.state.queues = {f"sluice-{name}": Queue() for name in ("images", "digests", "sweeper")}
    lines = [line.word for line in it.listing.lines]

    assert commands(queues.new_queues(it)) == []
    assert [command.split()[3] for command in commands(queues.changed_queues(it))] == list(it.state.queues)
    assert lines.index("new_queues") < lines.index("pools") < lines.index("changed_queues")


def test_without_a_table_of_pools_there_is_one_service(tmp_path: Path) -> None:
    text = PIPELINE.partition("[queues.images]")
    one = (text[1] + text[2]).replace('pool = "slow"\n', "").replace("= 20", "= 3")
    it = deployment(tmp_path, text=one)

    assert list(it.pools) == ["processor"]
    assert [it.server(queue) for queue in it.queues.values()] == ["processor", "processor"]


def test_memory_is_written_as_cloud_run_prints_it() -> None:
    assert [services.amount(mebibytes << 20) for mebibytes in (512, 1024, 1536, 4096)] == ["512Mi", "1Gi", "1536Mi", "4Gi"]


# ---- Google's limits on names


LONG_POOL, LONG_QUEUE = "p" * 21, "q" * 41
#: What Google takes: pages on names of each kind of resource at cloud.google.com.
LIMITS = {
    "iam service-accounts create": r"[a-z]([-a-z0-9]{4,28}[a-z0-9])",
    "run deploy": r"[a-z]([-a-z0-9]{0,47}[a-z0-9])?",
    "tasks queues create": r"[A-Za-z0-9-]{1,100}",
    "storage buckets create": r"gs://[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "pubsub topics create": r"[A-Za-z][A-Za-z0-9-]{2,254}",
    "pubsub subscriptions create": r"[A-Za-z][A-Za-z0-9-]{2,254}",
    "artifacts repositories create": r"[a-z][a-z0-9-]{0,62}",
    "logging metrics create": r"[A-Za-z0-9-]{1,100}",
    "iam roles create": r"[A-Za-z0-9_.]{3,64}",
}


def long_names(folder: Path, prefix: str) -> Deployment:
    """A deployment whose every name is as long as it may be, in a project of the longest id and number."""
    text = PIPELINE.replace("[pools.slow]", f"[pools.{LONG_POOL}]").replace('"slow"', f'"{LONG_POOL}"')
    text = text.replace("[queues.digests]", f"[queues.{LONG_QUEUE}]").replace('queue = "digests"', f'queue = "{LONG_QUEUE}"')
    it = deployment(folder, text=text, prefix=prefix, project="d" * 30, operators="user:ann@example.com")
    it.state.project_number = "9" * 13
    return it


def planned(it: Deployment) -> list[list[str]]:
    """The words of every command of a plan."""
    printed = io.StringIO()
    everything(it, Runner(None, printed))
    lines = printed.getvalue().replace(" \\\n    ", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("gcloud ")]


@pytest.mark.parametrize("prefix", ["a", "sluice", "p" * 13, "x" * 19, f"{'a-' * 9}b"])
def test_every_name_is_within_googles_limits(prefix: str, tmp_path: Path) -> None:
    commands = planned(long_names(tmp_path, prefix))
    names = {
        kind: [command[len(kind.split())] for command in commands if " ".join(command).startswith(kind)] for kind in LIMITS
    }

    assert [kind for kind in LIMITS if not names[kind]] == []
    assert [name for kind in LIMITS for name in names[kind] if not re.fullmatch(LIMITS[kind], name)] == []
    assert [kind for kind in LIMITS if len(set(names[kind])) < len(names[kind])] == []


@pytest.mark.parametrize("prefix", ["sluice", "x" * 19])
def test_host_names_and_labels_have_at_most_63_characters(prefix: str, tmp_path: Path) -> None:
    """The first label of a host name is the service's name and the project's number."""
    it = long_names(tmp_path, prefix)
    labels = [it.host(service).partition(".")[0] for service in it.listing.services]
    paused = [f"paused-{queue}" for queue in it.queues]

    assert max(map(len, labels + paused)) <= 63


def test_a_name_that_fits_is_written_out_and_a_longer_one_ends_with_a_stable_hash(tmp_path: Path) -> None:
    """Another hash would be another service: the old one would be left behind."""
    it = deployment(tmp_path)

    assert it.short("processor-slow") == "sluice-processor-slow"
    assert it.short(f"processor-{'p' * 13}") == f"sluice-processor-{'p' * 13}"
    assert it.short(f"processor-{'p' * 14}") == "sluice-processor-pppp-4091a806"


def test_pools_whose_names_differ_at_the_end_only_have_services_of_their_own(tmp_path: Path) -> None:
    it = deployment(tmp_path, prefix="x" * 19)

    assert len({it.short(f"processor-{LONG_POOL[:-1]}{last}") for last in "abc"}) == 3
