"""`deploy.sh verify --local`: the check of a deployment, run against the local stack."""

import json
import subprocess
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from shared.model import file_id
from shared.settings import ROOT
from tests.machine import Machine, running, variables
from tests.preloaded import preloaded

Variables = dict[str, str]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, program: Callable[[str], str]) -> Iterator[Variables]:
    """The environment of a shell that uses the running stack, with the shipped pipeline and its pools."""
    gcloud = program("gcloud")
    with (
        variables({"SLUICE_PIPELINE": str(ROOT / "pipeline.toml")}),
        running(Machine(tmp_path_factory.mktemp("stack"))) as machine,
        preloaded(gcloud, machine.environment) as environment,
    ):
        yield environment


def verify(stack: Variables, **changed: str) -> "subprocess.CompletedProcess[str]":
    command = ["bash", "deploy.sh", "verify", "--local"]
    return subprocess.run(command, env=stack | changed, cwd=ROOT, capture_output=True, text=True, check=False)


def names(stack: Variables, bucket: str) -> list[str]:
    with urllib.request.urlopen(f"{stack['STORAGE_EMULATOR_HOST']}/storage/v1/b/{bucket}/o") as answer:
        return [item["name"] for item in json.load(answer).get("items", [])]


def subscriptions(stack: Variables) -> list[str]:
    command = ["gcloud", "pubsub", "subscriptions", "list", "--format=value(name.basename())"]
    return subprocess.run(command, env=stack, capture_output=True, text=True, check=True).stdout.split()


def test_a_photograph_goes_through_every_door_and_leaves_no_trace(stack: Variables) -> None:
    of_others = [part for name in names(stack, "uploads") for part in (name, file_id("uploads", name))]
    done = verify(stack)

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("   succeeded  ") == 3
    assert "1. straight into the bucket, asking for avif\n" in done.stdout, "the only step in the pool `slow`"
    assert "\nOpening the console.\n" in done.stdout
    assert done.stderr == "note: no step of a photograph runs in the pool media; ./deploy.sh doctor looks at it\n"
    assert done.stdout.endswith("\nEverything works.\n")
    left = names(stack, "uploads") + names(stack, "results")
    assert [name for name in left if not any(part in name for part in of_others)] == []


def test_a_notice_that_does_not_come_fails_it_and_its_subscription_goes(stack: Variables) -> None:
    done = verify(stack, NOTICE_SECONDS="0")

    assert done.returncode == 1
    assert "within 0 s; ./deploy.sh doctor looks for the cause" in done.stderr
    assert sorted(subscriptions(stack)) == ["completions", "dead-letters", "dispatcher"]
