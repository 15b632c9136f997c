"""`deploy.sh verify --local`: the check of a deployment, run against the local stack."""

import json
import subprocess
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from shared.settings import ROOT
from tests.machine import Machine, running


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, program: Callable[[str], str]) -> Iterator[Machine]:
    program("gcloud")
    with running(Machine(tmp_path_factory.mktemp("stack"))) as machine:
        yield machine


def verify(machine: Machine, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = ["bash", "deploy.sh", "verify", "--local"]
    environment = {**machine.environment, **variables}
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


def names(machine: Machine, bucket: str) -> list[str]:
    with urllib.request.urlopen(f"{machine.environment['STORAGE_EMULATOR_HOST']}/storage/v1/b/{bucket}/o") as answer:
        return [item["name"] for item in json.load(answer).get("items", [])]


def subscriptions(machine: Machine) -> list[str]:
    return machine.run("gcloud", "pubsub", "subscriptions", "list", "--format=value(name.basename())").stdout.split()


def test_a_photograph_goes_through_every_door_and_leaves_no_trace(machine: Machine) -> None:
    done = verify(machine)

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("   succeeded  ") == 3
    assert done.stdout.endswith("\nEverything works.\n")
    assert names(machine, "uploads") + names(machine, "results") == []


def test_a_notice_that_does_not_come_fails_it_and_its_subscription_goes(machine: Machine) -> None:
    done = verify(machine, NOTICE_SECONDS="0")

    assert done.returncode == 1
    assert "within 0 s; ./deploy.sh doctor looks for the cause" in done.stderr
    assert sorted(subscriptions(machine)) == ["completions", "dead-letters", "dispatcher"]
