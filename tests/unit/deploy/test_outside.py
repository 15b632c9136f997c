"""Settings of steps outside the sandbox: their pool alone has them; secrets stay in Secret Manager."""

from dataclasses import replace
from pathlib import Path

import pytest

from deploy import services
from deploy.deployment import Deployment
from deploy.kinds import Service
from deploy.variables import Secret, variables
from tests.unit.deploy.example import PIPELINE, deployment
from tests.unit.deploy.test_changes import commands

REACHED = ("SLUICE_CLAMD", "SLUICE_SERVICE_ORIGINS", "SLUICE_SERVICE_SECRETS")
SCANNING = PIPELINE.replace('processor = "any.digest"', 'processor = "any.scan"')
OPTIONS = {"clamd": "10.0.0.5:3310", "service_origins": "https://tika.test", "service_secrets": "calls"}


@pytest.fixture
def scanning(tmp_path: Path) -> Deployment:
    it = deployment(tmp_path, text=SCANNING, **OPTIONS)
    it.image = "IMAGE"
    return it


def of_pool(it: Deployment) -> list[str]:
    return [
        command for command in commands(services.pools(it, "processor", "internal")) if " sluice-processor-slow " in command
    ]


def test_only_the_pool_of_such_steps_has_what_they_reach(scanning: Deployment) -> None:
    mine, others = services.variables(scanning, "processor-slow", "4"), services.variables(scanning, "processor", "3")

    assert [mine[name] for name in REACHED] == ["10.0.0.5:3310", "https://tika.test", Secret("calls:latest")]
    assert not others.keys() & set(REACHED)


def test_a_pool_without_such_steps_has_none_of_it(tmp_path: Path) -> None:
    assert not services.variables(deployment(tmp_path, **OPTIONS), "processor-slow", "4").keys() & set(REACHED)


def test_a_secret_is_named_to_cloud_run_and_stands_in_no_file(scanning: Deployment, tmp_path: Path) -> None:
    (command,) = of_pool(scanning)

    assert " --set-secrets=SLUICE_SERVICE_SECRETS=calls:latest " in command
    assert "SECRETS" not in (tmp_path / "variables-processor-slow.yaml").read_text()


def test_a_secret_that_is_no_longer_wanted_is_taken_away(tmp_path: Path) -> None:
    it = deployment(tmp_path, text=SCANNING)
    it.image = "IMAGE"
    it.state.services["sluice-processor-slow"] = Service(variables={"SLUICE_SERVICE_SECRETS": Secret("calls:latest")})

    assert " --clear-secrets " in of_pool(it)[0]
    it.state.services["sluice-processor-slow"] = Service(variables={"SLUICE_SERVICE_SECRETS": "plain"})
    assert "secrets" not in of_pool(it)[0]


def test_a_variable_in_secret_manager_differs_from_a_plain_one() -> None:
    plain = variables([{"name": "A", "value": "calls:latest"}])
    secret = variables([{"name": "A", "valueFrom": {"secretKeyRef": {"name": "calls", "key": "latest"}}}])

    assert secret == {"A": Secret("calls:latest")}
    assert plain != secret
    assert replace(Service(), variables=plain) != replace(Service(), variables=secret)
